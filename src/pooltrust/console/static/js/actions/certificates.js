// What can be done with a host's identities and with verification.
import { call } from '../core/api.js'
import { h, name } from '../core/dom.js'
import {
  can,
  certificatesOf,
  may,
  poolName,
  poolOf,
  thumbprint,
  verification,
  whyNot,
} from '../core/facts.js'
import { keepWishes, places, wishes } from '../core/store.js'
import { daysLeft, daysWords, when } from '../core/words.js'
import { ask, button, close, closing, isOpen, turn } from '../parts/dialog.js'
import { banner, entry, thumb } from '../parts/pieces.js'
import { save, say } from '../parts/said.js'
import { act, carryOut, planOf, planShown } from './act.js'
import { present } from './given.js'

export const ENABLE = 'Enable Certificate Verification'
const METHOD = 'pool.enable_tls_verification'

/** Enable verification: readiness, confirmation, progress. @param {string} id */
export const enable = id => act(enabling(id))

/** @param {string} id @returns {import('./act.js').Action} */
function enabling(id) {
  const place = /** @type {any} */ (places.get(id))
  return {
    id,
    title: `${ENABLE} — ${poolName(place).slice(0, 80)}`,
    method: METHOD,
    parameters: [],
    plan: METHOD,
    task: true,
    warning: enablingWarns(place),
    confirm: 'Yes, Enable certificate verification',
    refuse: 'No',
    seen: () => verification(places.get(id), null)?.words === 'Enabled',
    hosts: () =>
      [...place.objects.host.values()].map(host =>
        h.li(
          name(host.name_label, 80),
          `: ${host.tls_verification_enabled ? 'verifies' : 'does not verify yet'}`,
        ),
      ),
    done: () => enabled(places.get(id)),
  }
}

/** @param {any} place */
function enablingWarns(place) {
  const off = verification(place, null)?.off ?? []
  if (off.length)
    return [
      h.p('The pool requires verification, but an emergency switch is on. It is switched off at:'),
      h.ul(off.map(one => h.li(name(one, 80)))),
      h.p('From then on that host believes members by their certificates only, like the others.'),
    ]
  if (poolOf(place).tls_verification_enabled)
    return [h.p('It is enabled already, on every host. Enabling it once more changes nothing.')]
  return [
    h.p(
      'Every host is asked to verify every other one first. If one is not believed, nothing changes. Make sure that no other operation runs in the pool.',
    ),
  ]
}

/** What is so afterwards, as the hosts themselves tell it. @param {any} place */
function enabled(place) {
  const off = verification(place, null)?.off ?? []
  if (!off.length) return [h.p('Every host verifies whom it dials.')]
  return [
    banner('Not on every host yet: an emergency switch is still on.', 'bad'),
    h.ul(off.map(one => h.li(name(one, 80)))),
    h.p('Start it and try again, or type there: ', h.code('xe host-emergency-reenable-tls-verification')),
  ]
}

/** At connecting to a pool without it: yes, not now, not for this pool. @param {string} id */
export async function offer(id) {
  const place = places.get(id)
  if (!place || place.state.standing !== 'connected') return
  const pool = poolOf(place)
  if (!pool || pool.tls_verification_enabled !== false || !may(place, METHOD)) return
  if (wishes.quiet.includes(pool.uuid) || isOpen()) return
  const plan = await planOf(place, enabling(id))
  if (isOpen()) return
  ask(
    'Certificate verification is off',
    [
      h.p(
        'The hosts of ',
        h.strong(name(poolName(place))),
        ' do not verify one another: whoever gets between them could read and change what they say.',
      ),
      ...planShown(plan),
    ],
    [
      button('Not for this pool', () => {
        wishes.quiet.push(pool.uuid)
        keepWishes()
        close()
      }),
      closing('Not now'),
      button(
        'Yes, Enable certificate verification',
        () =>
          plan.failed || plan.blockers?.length
            ? enable(id)
            : carryOut(enabling(id)) /* its plan was just shown */,
        { class: 'main', autofocus: true },
      ),
    ],
  )
}

/** @param {string} id @param {string} ref */
export async function reset(id, ref) {
  const place = /** @type {any} */ (places.get(id))
  const host = place.objects.host.get(ref)
  const now = certificatesOf(place, ref).find(([, one]) => one.type === 'host')?.[1]
  const title = `Reset Certificate — ${host.name_label.slice(0, 80)}`
  ask(title, [h.p({ class: 'busy' }, 'Looking at what would be lost…')], [closing('No')])
  const asked = turn()
  const { facts: lost } = await present(id, ref)
  if (turn() !== asked) return
  return act({
    id,
    title,
    method: 'host.reset_server_certificate',
    parameters: [ref],
    typed: lost && !lost.self_signed ? host.name_label : undefined,
    warning: resetWarns(place, ref, now, lost),
    confirm: 'Yes',
    refuse: 'No',
    danger: true,
    seen: () => ![undefined, '', now && thumbprint(now)].includes(newThumbprint(id, ref)),
    done: () => [
      h.p('The new thumbprint, as the pool told it over the verified connection:'),
      thumb(newThumbprint(id, ref), true),
    ],
  })
}

/** What is lost, and who is disconnected. @param {any} place @param {string} ref @param {any} now @param {any} lost */
const resetWarns = (place, ref, now, lost) => [
  h.p(
    'The server identity certificate of ',
    h.strong(name(place.objects.host.get(ref).name_label)),
    ' is deleted and a new self-signed one takes its place.',
  ),
  lost && !lost.self_signed
    ? banner(
        'An authority signed it: it can’t be brought back from here, and its key is deleted with it.',
        'bad',
      )
    : null,
  now
    ? h.dl(
        { class: 'entries' },
        entry('Lost', thumb(thumbprint(now))),
        entry('Valid', `until ${when(now.not_after)}, ${daysWords(daysLeft(now.not_after))}`),
        lost ? entry('Issued by', lost.self_signed ? 'itself (self-signed)' : name(lost.issuer, 300)) : null,
        lost ? entry('For', name([...lost.names, ...lost.addresses].join(', '), 500)) : null,
      )
    : null,
  h.p(
    'Every client of this host is disconnected after its present call, this console included; it connects again by itself. Clients that remember the old thumbprint must be told the new one. Connections between members are not touched.',
  ),
]

/** @param {string} id @param {string} ref */
function newThumbprint(id, ref) {
  const place = /** @type {any} */ (places.get(id))
  const found = certificatesOf(place, ref)
    .filter(([, one]) => one.type === 'host')
    .pop()
  return found ? thumbprint(found[1]) : ''
}

/** @param {string} id @param {string} ref */
export function refresh(id, ref) {
  const place = /** @type {any} */ (places.get(id))
  return act({
    id,
    title: `Refresh the pool-internal identity of ${place.objects.host.get(ref).name_label.slice(0, 80)}`,
    method: 'host.refresh_server_certificate',
    parameters: [ref],
    plan: 'host.refresh_server_certificate',
    task: true,
    host: ref,
    warning: [
      h.p(
        'The host gets a new certificate for connections between members. Old and new are both believed until every member has met the new one; nobody is disconnected.',
      ),
    ],
    confirm: 'Refresh',
  })
}

/** @param {string} id @param {string} ref */
export async function exportPem(id, ref) {
  const place = /** @type {any} */ (places.get(id))
  const pem = await call(id, 'host.get_server_certificate', ref)
  save(
    `${place.objects.host
      .get(ref)
      .name_label.replace(/[^\w.-]/g, '_')
      .slice(0, 60)}.pem`,
    pem,
    'application/x-pem-file',
  )
  say('The server certificate was saved as PEM.')
}

/** What a host's certificates offer, for menus and buttons. @param {string} id @param {string} ref @param {any} more */
export function itemsFor(id, ref, more) {
  const place = /** @type {any} */ (places.get(id))
  const why = method => whyNot(place, method)
  const items = [
    {
      label: 'Install Certificate…',
      run: () => more.install(id, ref),
      why: why('host.install_server_certificate'),
    },
    { label: 'Reset Certificate', run: () => reset(id, ref), why: why('host.reset_server_certificate') },
    {
      label: 'Refresh pool-internal identity…',
      run: () => refresh(id, ref),
      why: why('host.refresh_server_certificate'),
    },
  ]
  const CSR = 'pooltrust.create_certificate_request'
  if (can(place, CSR))
    items.push({ label: 'Certificate request (CSR)…', run: () => more.request(id, ref), why: why(CSR) })
  items.push({ label: 'Export PEM', run: () => exportPem(id, ref), why: why('host.get_server_certificate') })
  return items
}
