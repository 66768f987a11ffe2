// Installing a server certificate: read and judged on this machine, shown beside what clients meet now,
// and only then sent.  A private key is sent to its host only, and is shown nowhere.
import { clocksOf, clockTone, surely } from '../core/clocks.js'
import { h, name } from '../core/dom.js'
import { can, certificatesOf, isCoordinator, thumbprint } from '../core/facts.js'
import { places } from '../core/store.js'
import { daysWords, plainThumbprint, when } from '../core/words.js'
import { ask, goingOn, turn } from '../parts/dialog.js'
import { banner, thumb } from '../parts/pieces.js'
import { act } from './act.js'
import { finding, given, present } from './given.js'

const CERTIFICATE = {
  id: 'install-certificate',
  label: 'Certificate',
  hint: 'Or paste it. A bundle may have everything in it.',
  about: ['certificate', 'names', ''],
}
const KEY = {
  id: 'install-key',
  label: 'Private key',
  hint: 'PKCS#8, PKCS#1 or SEC1, encrypted or not.',
  about: ['key'],
}
const CHAIN = {
  id: 'install-chain',
  label: 'Intermediate certificates',
  hint: 'In any order; may be empty.',
  about: ['chain'],
}

/** @param {string} id @param {string} ref @param {string} [request] whose key waits on the host (PEM) */
export function install(id, ref, request = '') {
  const place = /** @type {any} */ (places.get(id))
  const host = place.objects.host.get(ref)
  const now = certificatesOf(place, ref).find(([, one]) => one.type === 'host')?.[1]
  const before = present(id, ref)
  const reading = given({
    purpose: 'server',
    fields: request ? [CERTIFICATE, CHAIN] : [CERTIFICATE, KEY, CHAIN],
    more: async () => ({
      names: namesOf(place, ref),
      ahead: aheadOf(id, place, ref),
      published: !can(place, 'pooltrust.install_server_certificate'),
      request,
      present: (await before).pem,
    }),
  })
  const next = async () => {
    const asked = turn()
    const said = await reading.read()
    if (turn() !== asked) return
    if (said.install) confirm(id, ref, request, said)
    else reading.focus(said)
  }
  ask(
    `Install Certificate on ${host.name_label.slice(0, 80)}`,
    [now ? h.p('Now clients meet ', thumb(thumbprint(now))) : null, ...reading.parts],
    goingOn(next),
  )
}

/** What clients call a host. @param {any} place @param {string} ref */
export function namesOf(place, ref) {
  const host = place.objects.host.get(ref)
  const { address, reached } = place.state
  const here = isCoordinator(place, ref) && (!reached || reached.startsWith(address))
  const names = [host.address, host.hostname, here ? address : '']
  return [...new Set(names.filter(one => one && !/^localhost/.test(one)))]
}

/** How many seconds a host's clock is before ours, if it is off for sure. @param {string} id @param {any} place @param {string} ref */
function aheadOf(id, place, ref) {
  const clock = clocksOf(id, place)?.get(ref)
  return clock && clockTone(surely(clock)) !== 'good' ? clock.ahead / 1000 : 0
}

/** @param {string} id @param {string} ref @param {string} request @param {any} said */
function confirm(id, ref, request, said) {
  const place = /** @type {any} */ (places.get(id))
  const host = place.objects.host.get(ref)
  const { certificate, key, chain } = said.install
  const advice = said.findings.filter(one => one.level === 'advice')
  return act({
    id,
    title: `Install Certificate on ${host.name_label.slice(0, 80)}`,
    ...orderOf(place, ref, request, { certificate, key, chain }),
    warning: [
      beside(said),
      advice.length ? h.div({ class: 'findings' }, advice.map(finding)) : null,
      h.p('The host checks all of it once more; if anything is wrong, nothing changes.'),
      h.p(
        'Then its clients are disconnected after their present call, this console included; it connects again by itself. Connections between members are not touched.',
      ),
    ],
    confirm: 'Install',
    refuse: 'Cancel',
    seen: () => met(id, ref) === plainThumbprint(said.leaf.thumbprint),
    done: result => [
      h.p('Clients meet this certificate now:'),
      thumb(Array.isArray(result) ? result[0] : said.leaf.thumbprint, true),
      ...(Array.isArray(result) ? result.slice(1).map(words => banner(words)) : []),
    ],
  })
}

/** The call that installs it. @param {any} place @param {string} ref @param {string} request @param {any} what */
export function orderOf(place, ref, request, { certificate, key, chain }) {
  if (request)
    return { method: 'pooltrust.install_requested_certificate', parameters: [ref, certificate, chain] }
  const ours = can(place, 'pooltrust.install_server_certificate')
  return {
    method: `${ours ? 'pooltrust' : 'host'}.install_server_certificate`,
    parameters: [ref, certificate, key, chain],
  }
}

/** @param {string} id @param {string} ref */
function met(id, ref) {
  const place = places.get(id)
  const found = place ? certificatesOf(place, ref).filter(([, one]) => one.type === 'host') : []
  return found.length ? plainThumbprint(thumbprint(found[found.length - 1][1])) : ''
}

/** @type {[string, (one: any) => any][]} */
const ROWS = [
  ['Subject', one => name(one.subject, 300)],
  ['Issuer', one => (one.self_signed ? 'itself (self-signed)' : name(one.issuer, 300))],
  ['For', one => name([...one.names, ...one.addresses].join(', ') || 'no name', 500)],
  ['Valid', one => `${when(one.not_before)} to ${when(one.not_after)}, ${daysWords(one.days_left)}`],
  ['Key', one => one.key],
  ['Thumbprint', one => h.span({ class: 'mono thumbprint' }, one.thumbprint)],
]

/** What clients meet now, and what they would meet. @param {any} said */
function beside(said) {
  const sides = [said.present, said.leaf]
  const shown = (one, cell) => (one ? cell(one) : h.span({ class: 'faint' }, 'not known'))
  const labels = ['Clients meet now', 'Will be installed']
  return h.div(
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Before and after' },
    h.table(
      { class: 'stacked beside' },
      h.caption({ class: 'hidden-label' }, 'The certificate before and after'),
      h.thead(h.tr(h.th({ scope: 'col' }, 'Field'), ...labels.map(one => h.th({ scope: 'col' }, one)))),
      h.tbody(
        ROWS.map(([label, cell]) =>
          h.tr(
            h.th({ scope: 'row' }, label),
            sides.map((one, n) => h.td({ 'data-label': labels[n] }, shown(one, cell))),
          ),
        ),
        h.tr(
          h.th({ scope: 'row' }, 'Chain'),
          h.td({ 'data-label': labels[0] }, h.span({ class: 'faint' }, 'as it is')),
          h.td({ 'data-label': labels[1] }, chainShown(said.chain)),
        ),
      ),
    ),
  )
}

/** @param {any[]} chain */
const chainShown = chain =>
  chain.length
    ? h.ol(
        { class: 'plan' },
        chain.map(one =>
          h.li(name(one.subject, 200), h.span({ class: 'faint' }, ` until ${when(one.not_after)}`)),
        ),
      )
    : 'none'
