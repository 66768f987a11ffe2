// The tree of pools and hosts, with the real state of each by shape, colour and text.  A right click or
// the menu key opens what the menus Pool and Server would.
import { h, name, versioned } from '../core/dom.js'
import { hosts, hostState, poolName, poolState } from '../core/facts.js'
import { to } from '../core/route.js'
import { link, places } from '../core/store.js'
import { iconOf } from '../parts/icons.js'
import { menuAt } from '../parts/menu.js'
import { poolItems, serverItems } from './bar.js'

/** @typedef {import('../core/route.js').Route} Route */

/** @param {Route} at */
export function tree(at) {
  return [
    link.up
      ? null
      : h.p({ class: 'bad-text', role: 'alert' }, 'The console does not answer. What you see may be old.'),
    h.ul(
      [...places].map(([id, place]) =>
        h.li({ 'data-key': id }, poolRow(at, id, place), h.ul(hostRows(at, id, place))),
      ),
    ),
    places.size ? null : h.p({ class: 'faint' }, 'No server yet.'),
    h.ul(
      { class: 'places' },
      h.li(h.a({ href: to('known'), 'aria-current': at.kind === 'known' ? 'page' : null }, 'Known servers')),
    ),
  ]
}

/** @param {Route} at @param {string} id @param {any} place */
function poolRow(at, id, place) {
  const label = poolName(place)
  return row(label, poolState(place), {
    href: to(id, 'pool', 'general'),
    class: 'pool',
    'aria-current': at.id === id && at.kind === 'pool' ? 'page' : null,
    'data-key': `pool ${id}`,
    oncontextmenu: event => menuAt(event, poolItems({ id }), `Pool ${label.slice(0, 80)}`),
  })
}

/** @param {Route} at @param {string} id @param {any} place */
const hostRows = (at, id, place) =>
  hosts(place).map(([ref, host]) => {
    const label = host.name_label || host.address
    return h.li(
      { 'data-key': ref },
      row(label, hostState(place, ref), {
        href: to(id, 'host', host.uuid, 'general'),
        'aria-current': at.id === id && at.uuid === host.uuid ? 'page' : null,
        'data-key': `host ${id} ${ref}`,
        oncontextmenu: event =>
          menuAt(event, serverItems({ id, uuid: host.uuid }), `Server ${label.slice(0, 80)}`),
      }),
    )
  })

/** @param {string} label @param {{words: string, tone: string, kind?: string}} state @param {Record<string, any>} given */
const row = (label, state, given) =>
  versioned(
    h.a({ ...given, title: `${label.slice(0, 300)}: ${state.words}` }),
    `${state.kind} ${state.tone} ${state.words} ${label.slice(0, 300)}`,
    () => [
      h.span({ class: `${state.tone}-text` }, iconOf(state)),
      h.span({ class: 'label' }, name(label, 80)),
      h.span({ class: `state ${state.tone}-text` }, state.words),
    ],
  )
