// Who belongs to a pool: ejecting, another coordinator.  Joining is in join.js.
import { h, name } from '../core/dom.js'
import { can, hosts, isCoordinator } from '../core/facts.js'
import { places } from '../core/store.js'
import { act } from './act.js'
import { assistant, code } from './join.js'

/** @param {string} id @param {any} place */
export function membership(id, place) {
  const items = [{ label: 'Join a host to this pool…', run: () => assistant(id) }]
  if (can(place, 'pooltrust.create_join_code'))
    items.push({ label: 'Create a join code…', run: () => code(id) })
  if (can(place, 'pooltrust.refresh_pool'))
    items.push({ label: 'Refresh every pool-internal identity…', run: () => refreshAll(id) })
  return items
}

/** @param {string} id */
export function refreshAll(id) {
  const place = /** @type {any} */ (places.get(id))
  const all = hosts(place).map(([ref]) => ref)
  act({
    id,
    title: 'Refresh every pool-internal identity',
    method: 'pooltrust.refresh_pool',
    parameters: [],
    plan: 'host.refresh_server_certificate',
    each: [...all.filter(ref => !isCoordinator(place, ref)), ...all.filter(ref => isCoordinator(place, ref))],
    task: true,
    confirm: 'Refresh all',
    warning: [
      h.p(
        'Every host gets a new pool identity, one after another, the coordinator last. Nobody is disconnected. Hosts that are away have their turn when they are back.',
      ),
    ],
  })
}

/** @param {string} id @param {string} ref */
export function eject(id, ref) {
  const place = /** @type {any} */ (places.get(id))
  const host = place.objects.host.get(ref)
  act({
    id,
    title: `Eject ${host.name_label.slice(0, 80)}`,
    method: 'pool.eject',
    parameters: [ref],
    plan: 'pool.eject',
    task: true,
    host: ref,
    confirm: 'Eject',
    danger: true,
    warning: [
      h.p(
        h.strong(name(host.name_label)),
        ' leaves the pool: no certificate of it is believed by a member any more, and it keeps none of theirs. It founds a pool of its own with a new pool identity.',
      ),
    ],
  })
}

/** @param {string} id @param {string} ref */
export function promote(id, ref) {
  const place = /** @type {any} */ (places.get(id))
  if (isCoordinator(place, ref)) return
  const { uuid, name_label: label } = place.objects.host.get(ref)
  const seen = () =>
    hosts(/** @type {any} */ (places.get(id))).some(
      ([now, host]) => host.uuid === uuid && isCoordinator(places.get(id), now),
    )
  act({
    id,
    seen,
    title: `Make ${label.slice(0, 80)} the coordinator`,
    method: 'pool.designate_new_master',
    parameters: [ref],
    plan: 'pool.designate_new_master',
    host: ref,
    confirm: 'Hand over',
    warning: [h.p('No connection is closed; this console follows to the new coordinator by itself.')],
  })
}
