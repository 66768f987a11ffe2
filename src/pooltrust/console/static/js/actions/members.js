// Who belongs to a pool: join codes, joining, ejecting, another coordinator.
import { ask as send, call } from '../core/api.js'
import { h, name } from '../core/dom.js'
import { can, certificatesOf, hosts, isCoordinator, poolName, poolOf, thumbprint } from '../core/facts.js'
import { places } from '../core/store.js'
import { ask, button, closing } from '../parts/dialog.js'
import { banner, thumb } from '../parts/pieces.js'
import { copy } from '../parts/said.js'
import { act, failed } from './act.js'
import { enable } from './certificates.js'

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
  act({
    id,
    title: 'Refresh every pool-internal identity',
    method: 'pooltrust.refresh_pool',
    parameters: [],
    confirm: 'Refresh all',
    warning: [
      h.p(
        'Every host gets a new pool identity, one after another, the coordinator last. Nobody is disconnected. Hosts that are away have their turn when they are back.',
      ),
    ],
  })
}

/** @param {string} id */
export function code(id) {
  act({
    id,
    title: 'Create a join code',
    method: 'pooltrust.create_join_code',
    parameters: [3600],
    confirm: 'Create',
    warning: [
      h.p(
        'One host can join this pool with it, once, within an hour. It says where the pool is and which certificate to expect there, so that the joiner trusts nobody unseen. It is a secret.',
      ),
    ],
    done: text => [
      h.label({ for: 'join-code' }, 'The code'),
      h.textarea({ id: 'join-code', readonly: true, value: text }, text),
      button('Copy', () => copy(text)),
    ],
  })
}

/** Every blocker on both sides, both thumbprints, and what is off where. @param {string} id */
export function assistant(id) {
  const pool = /** @type {any} */ (places.get(id))
  const candidates = [...places].filter(
    ([other, place]) => other !== id && place.state.standing === 'connected' && poolOf(place),
  )
  const title = `Join a host to ${poolName(pool).slice(0, 80)}`
  if (!candidates.length) {
    return ask(
      title,
      [
        h.p(
          'Add the host that is to join as a server first: it is asked to join from its own side. Or create a join code here, and use it on that host: ',
        ),
        h.code('xe pool-join join-code=…'),
      ],
      [
        closing('Close'),
        can(pool, 'pooltrust.create_join_code')
          ? button('Create a join code…', () => code(id), { class: 'main' })
          : '',
      ],
    )
  }
  ask(
    title,
    [
      h.p('Which host is to join?'),
      h.div(
        { class: 'actions' },
        candidates.map(([other, place]) => button(poolName(place).slice(0, 60), () => compare(id, other))),
      ),
    ],
    [closing()],
  )
}

/** @param {string} id @param {string} joiner */
async function compare(id, joiner) {
  const pool = /** @type {any} */ (places.get(id))
  const other = /** @type {any} */ (places.get(joiner))
  const found = blockers(id, pool, joiner, other)
  const title = `Join ${poolName(other).slice(0, 50)} to ${poolName(pool).slice(0, 50)}`
  const both = [
    ['The pool’s coordinator', pool, poolOf(pool).master],
    ['The joining host', other, poolOf(other).master],
  ]
  ask(
    title,
    [
      h.div(
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Both sides' },
        h.table(
          h.caption({ class: 'hidden-label' }, 'Both sides'),
          h.thead(
            h.tr(
              ['Side', 'Certificate Verification', 'Pool-internal identity'].map(one =>
                h.th({ scope: 'col' }, one),
              ),
            ),
          ),
          h.tbody(
            both.map(([label, place, ref]) =>
              h.tr(
                h.th({ scope: 'row' }, label, ': ', name(place.objects.host.get(ref)?.name_label, 60)),
                h.td(poolOf(place).tls_verification_enabled ? 'Enabled' : 'Disabled'),
                h.td(
                  thumb(
                    thumbprint(
                      certificatesOf(place, ref).find(([, one]) => one.type === 'host_internal')?.[1] ?? {},
                    ),
                  ),
                ),
              ),
            ),
          ),
        ),
      ),
      ...(found.length
        ? [
            banner(
              'Not ready. In its way:',
              'bad',
              h.ul(
                { class: 'plain' },
                found.map(one => h.li(one.words, ' ', one.cure)),
              ),
            ),
          ]
        : [banner('Ready: nothing is in its way.', 'good')]),
    ],
    [
      closing(),
      button('Look again', () => compare(id, joiner)),
      found.length ? '' : button('Join', () => join(id, joiner, title), { class: 'main' }),
    ],
  )
}

/** @param {string} id @param {any} pool @param {string} joiner @param {any} other */
function blockers(id, pool, joiner, other) {
  const found = []
  const [here, there] = [poolOf(pool).tls_verification_enabled, poolOf(other).tls_verification_enabled]
  if (here !== there) {
    const [side, which] = here ? ['the joining host', joiner] : ['the pool', id]
    found.push({
      words: `Certificate verification is off at ${side}, and on at the other side.`,
      cure: button('Enable Certificate Verification', () => enable(which)),
    })
  }
  if (hosts(other).length > 1)
    found.push({ words: 'The joining host is in a pool of several hosts.', cure: 'Eject it there first.' })
  if (poolOf(pool).ha_enabled)
    found.push({ words: 'High availability is on in the pool.', cure: 'Disable it first.' })
  if (!can(pool, 'pooltrust.create_join_code') || !can(other, 'pooltrust.join_with_code'))
    found.push({
      words: 'One of the two sides has no join codes.',
      cure: 'Join from its command line: xe pool-join.',
    })
  return found
}

/** @param {string} id @param {string} joiner @param {string} title */
async function join(id, joiner, title) {
  const action = { id: joiner, title, method: 'pooltrust.join_with_code', parameters: [''], confirm: 'Join' }
  try {
    action.parameters = [await call(id, 'pooltrust.create_join_code', 600)]
  } catch (why) {
    return failed(action, why)
  }
  const own = hosts(/** @type {any} */ (places.get(joiner)))[0][1].uuid
  const seen = () => hosts(/** @type {any} */ (places.get(id))).some(([, host]) => host.uuid === own)
  act({
    ...action,
    seen,
    done: () => joined(joiner),
    warning: [
      h.p(
        'The host joins by a code that was just made: each side knows which certificate to expect of the other. Its own pool ends; its clients, this console included, find it as a member of the other pool.',
      ),
    ],
  })
}

/** It is seen as a member from now on, not on its own. @param {string} joiner */
function joined(joiner) {
  send('/api/disconnect', { id: joiner })
  return [h.p('It is a member of that pool now, and is seen there.')]
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
