// Everything about one cell of the map, in the dialog; it stays up to date while it is open.
import { h, name } from '../../core/dom.js'
import { when } from '../../core/words.js'
import { ask, closing, isOpen, redraw, turn } from '../../parts/dialog.js'
import { chip, thumb } from '../../parts/pieces.js'
import { stateOf } from './seen.js'

/** @typedef {import('./seen.js').Seen} Seen */

/** @type {{turn: number, title: string, body: () => any[]}|null} */
let shown = null

/** @param {string} title @param {() => any[]} body */
export function show(title, body) {
  ask(title, body(), [closing('Close')])
  shown = { turn: turn(), title, body }
}

/** Bring the dialog up to date, if it is still this one. */
export function refresh() {
  if (shown && (!isOpen() || turn() !== shown.turn)) shown = null
  if (shown) redraw(shown.title, shown.body(), [closing('Close')])
}

/** What a host is called, or the address of somebody else. @param {any} place @param {string} end */
export const nameOf = (place, end) =>
  (place.objects.host.get(end)?.name_label ?? end ?? 'somebody').slice(0, 60)

/** What there is to say of these conversations, one after another. @param {any} place @param {Seen[]} rows */
export const conversations = (place, rows) =>
  rows.slice(0, 40).map(one =>
    h.section(
      {
        class: 'conversation',
        'data-key': `${one.at_host} ${one.way} ${one.outcome} ${one.peer} ${one.says}`,
      },
      h.h3(headline(place, one), ' ', chip(stateOf(one))),
      facts(place, one),
    ),
  )

/** @param {any} place @param {Seen} one */
const headline = (place, one) =>
  one.way === 'dialled'
    ? [name(nameOf(place, one.from), 60), ' connected to ', name(nameOf(place, one.to), 60)]
    : [name(nameOf(place, one.to), 60), ' was called by ', name(nameOf(place, one.from), 60)]

/** @param {any} place @param {Seen} one */
export function facts(place, one) {
  const refused = one.outcome === 'refused'
  const told = [
    ['Outcome', sentence(one)],
    ['When', h.span({ 'data-when': one.at }, when(one.at), times(one))],
    ['From', ends(place, one, 'from')],
    ['To', ends(place, one, 'to')],
    ['TLS version', one.tls_version || (refused ? 'none: it did not come about' : 'none')],
    ['Certificate met', one.met ? thumb(one.met) : unmet(one)],
    ['Certificate shown', one.shown ? thumb(one.shown) : 'none was asked for'],
    ['It calls itself', one.says && name(one.says, 200)],
    ['Expected', one.expected && name(one.expected, 600)],
    ['Who refused', refused && (one.refused_by ? refuser(place, one) : 'not told')],
    ['Why', (one.reason || refused) && name(one.reason || 'not told', 600)],
    ['What helps', (one.cure || refused) && name(one.cure || 'not told', 600)],
  ]
  return h.dl(
    { class: 'entries' },
    told.filter(([, value]) => value).map(([label, value]) => h.div(h.dt(label), h.dd(value))),
  )
}

/** Which side it was, by its name. @param {any} place @param {Seen} one */
export function refuser(place, one) {
  const here = one.refused_by === 'this host'
  const other = one.way === 'dialled' ? one.to : one.from
  return name(nameOf(place, here ? one.at_host : other), 60)
}

/** @param {Seen} one */
function sentence(one) {
  if (one.outcome === 'verified')
    return one.kind === 'member' ? 'verified: exactly a certificate that the roster accepts' : 'verified'
  if (one.outcome === 'let in')
    return 'let in by a password, a session or a code; no certificate proves who it is'
  if (one.outcome === 'not verified' && one.way === 'answered')
    return 'connected, and nobody has logged in on it: nothing confidential was said'
  return stateOf(one).words
}

/** @param {Seen} one */
const unmet = one =>
  one.outcome === 'refused' && one.way === 'answered' && one.refused_by === 'this host'
    ? 'not told: TLS ended before it could be kept'
    : one.outcome === 'no connection'
      ? 'none'
      : 'none was shown'

/** @param {Seen} one */
function times(one) {
  const count = Number(one.count ?? 1)
  return count > 1 ? `; ${count} times since ${when(one.first)}` : ''
}

/** @param {any} place @param {Seen} one @param {'from'|'to'} end */
function ends(place, one, end) {
  const known = place.objects.host.get(one[end])
  const near = (end === 'from') === (one.way === 'dialled')
  if (!known) return name(one[end], 200)
  const address = near ? known.address : one.address || known.address
  return [name(known.name_label, 60), ` (${address})`]
}
