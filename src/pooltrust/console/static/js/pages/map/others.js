// The conversations with whoever is no member, one row each, and the kinds that nobody has met yet.
import { h, name } from '../../core/dom.js'
import { certificatesOf, hosts, thumbprint } from '../../core/facts.js'
import { chip, moment, shortThumb } from '../../parts/pieces.js'
import { table } from '../../parts/table.js'
import { kindOf, stateOf } from './seen.js'
import { facts, nameOf, refuser } from './told.js'

/** @typedef {import('./seen.js').Gathered} Gathered */
/** @typedef {import('./seen.js').Seen} Seen */

/** What this console itself sees: it is a client, and verifies. @param {any} place @returns {Seen} */
export function ourselves(place) {
  const reached = place.state.reached || place.state.address
  const there = hosts(place).find(([, host]) => reached.includes(host.address))
  const met = there && certificatesOf(place, there[0]).find(([, one]) => one.type === 'host')
  return {
    kind: 'console',
    way: 'dialled',
    outcome: 'verified',
    at_host: 'this console',
    from: 'this console',
    to: there ? there[0] : reached,
    peer: reached,
    address: reached,
    says: '',
    met: met ? thumbprint(met[1]) : '',
    tls_version: place.state.tls_version,
    expected: place.state.kept
      ? 'the certificate that is remembered for it'
      : 'the certificate that was trusted for this run',
  }
}

/** @param {Gathered} seen */
export function others(seen) {
  const { place } = seen
  const rows = [ourselves(place), ...seen.others]
  return table(`observed ${seen.id}`, 'Observed connections', columns(place), rows, {
    row: one => ({
      'data-key': `${one.at_host} ${one.kind} ${one.way} ${one.outcome} ${one.peer} ${one.says}`,
    }),
    details: one => facts(place, one),
    first: 50,
    search: one => [one.expected, one.reason, one.cure, one.met, one.shown].join(' '),
    choices: [
      { key: 'kind', label: 'Kind', value: kindOf },
      { key: 'outcome', label: 'Outcome', value: one => one.outcome },
    ],
  })
}

/** @param {any} place @returns {import('../../parts/table.js').Column[]} */
const columns = place => [
  { key: 'kind', label: 'Endpoint', value: kindOf, show: one => h.span({ class: 'kind' }, kindOf(one)) },
  {
    key: 'ends',
    label: 'From → to',
    value: one => `${nameOf(place, one.from)} ${one.says ?? ''} ${nameOf(place, one.to)}`,
    show: one => ends(place, one),
  },
  {
    key: 'at',
    label: 'Outcome',
    value: one => one.at ?? '',
    show: one => [chip(stateOf(one)), h.div(one.at ? moment(one.at) : 'now')],
  },
  { key: 'met', label: 'Certificate', value: one => one.met || one.shown || '', show: certificate },
  {
    key: 'why',
    label: 'Refused by, why',
    grow: true,
    value: one => one.reason ?? '',
    show: one => why(place, one),
  },
]

/** @param {any} place @param {Seen} one */
const ends = (place, one) =>
  h.div(
    { class: 'ends' },
    h.div(name(nameOf(place, one.from), 60)),
    one.way === 'answered' && one.says ? h.div({ class: 'faint' }, name(one.says, 60)) : null,
    h.div('→ ', name(nameOf(place, one.to), 60)),
  )

/** @param {Seen} one */
const certificate = one => [
  one.met || one.shown
    ? [h.div({ class: 'faint' }, one.met ? 'it showed' : 'it was shown'), shortThumb(one.met || one.shown)]
    : null,
  h.div(one.tls_version ? one.tls_version.replace('TLSv', 'TLS ') : 'TLS did not come about'),
]

/** @param {any} place @param {Seen} one */
function why(place, one) {
  if (one.outcome === 'refused')
    return h.div(
      { class: 'why' },
      h.div(
        h.strong(one.refused_by ? refuser(place, one) : 'Somebody', ' refused: '),
        name(one.reason || 'not told', 300),
      ),
      one.cure ? h.div({ class: 'faint' }, name(one.cure, 300)) : null,
    )
  return one.reason ? name(one.reason, 300) : ''
}

/** @param {Gathered} seen */
export function unmet(seen) {
  const met = new Set(seen.others.map(one => one.kind))
  const kinds = seen.kinds.filter(one => !met.has(one.kind) && one.kind !== 'member')
  const here = kinds.filter(
    one => one.expects !== 'no TLS' && one.kind !== 'Conversion Manager' && one.kind !== 'console',
  )
  const aside = kinds.filter(one => !here.includes(one) && one.kind !== 'console')
  return [
    here.length ? h.h3('Not observed yet') : null,
    here.length ? list(here, one => `${one.dials} → ${one.answers}. ${one.rule}`) : null,
    aside.length ? h.h3('Nothing to verify here') : null,
    aside.length ? list(aside, one => `${one.rule} ${one.reason}`) : null,
  ]
}

/** @param {Seen[]} kinds @param {(one: Seen) => string} words */
const list = (kinds, words) =>
  h.ul(
    { class: 'plain kinds' },
    kinds.map(one => h.li({ 'data-key': one.kind }, h.strong(one.kind), ': ', words(one))),
  )
