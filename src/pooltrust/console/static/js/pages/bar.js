// The bar: the menus Pool and Server, the count of alerts with the worst of them, and Add server.
import { ask as send } from '../core/api.js'
import { standing } from '../core/alerts.js'
import { h } from '../core/dom.js'
import { can, hosts, poolName, poolOf, verification, whyNot } from '../core/facts.js'
import { go } from '../core/route.js'
import { changed, places } from '../core/store.js'
import { enable, ENABLE, itemsFor } from '../actions/certificates.js'
import { membership } from '../actions/members.js'
import { requestItems } from '../actions/requests.js'
import { icon } from '../parts/icons.js'
import { menuBelow } from '../parts/menu.js'
import { addServer } from './connect.js'
import { more } from './general.js'

const view = { tree: false }

/** @param {import('../core/route.js').Route} at */
export function bar(at) {
  const count = standing()
  const button = (label, items) =>
    h.button(
      {
        type: 'button',
        class: 'plain',
        'aria-haspopup': 'menu',
        'aria-expanded': 'false',
        'data-key': label,
        onclick: event => menuBelow(event.currentTarget, items()),
      },
      label,
    )
  return [
    h.a(
      { class: 'brand', href: '#/', 'aria-label': 'pooltrust: all pools' },
      h.img({ src: 'icon.svg', alt: '' }),
      h.span({ class: 'word' }, 'pooltrust'),
    ),
    where(),
    button('Pool', () => poolItems(at)),
    button('Server', () => serverItems(at)),
    h.span({ class: 'space' }),
    h.a(
      { href: '#/notifications', class: `chip ${count.tone}`, 'data-key': 'notifications' },
      count.number ? icon(count.tone) : icon('bell'),
      h.span(h.span({ class: 'word' }, 'Notifications: '), count.words),
    ),
    h.button(
      { type: 'button', class: 'main add', onclick: addServer, 'data-key': 'add' },
      h.span({ class: 'plus', 'aria-hidden': 'true' }, '+'),
      h.span({ class: 'word' }, 'Add server'),
    ),
  ]
}

/** On a narrow screen the tree is opened by this. */
const where = () =>
  h.button(
    {
      type: 'button',
      class: 'plain where',
      'data-key': 'where',
      'aria-controls': 'tree',
      'aria-expanded': String(view.tree),
      onclick: () => showTree(!view.tree),
    },
    h.span({ 'aria-hidden': 'true' }, '☰'),
    h.span({ class: 'hidden-label' }, 'Pools and servers'),
  )

/** @param {boolean} shown */
export function showTree(shown) {
  view.tree = shown
  document.getElementById('frame')?.classList.toggle('tree-open', shown)
  changed()
}

/** The server in question: the chosen one, or the only one. @param {any} at */
function chosen(at) {
  const id = at.id ?? (places.size === 1 ? [...places.keys()][0] : undefined)
  const place = id ? places.get(id) : undefined
  // While it is being connected again its menus stay: an action says that it has to wait.
  return place && ['connected', 'waiting'].includes(place.state.standing) && poolOf(place)
    ? { id, place }
    : undefined
}

/** What can be done while nothing is connected. @param {any} at @returns {import('../parts/menu.js').Item[]} */
const nothing = at => [
  { label: 'Add server…', run: addServer },
  ...(places.has(at.id) ? [{ label: 'Disconnect', run: () => send('/api/disconnect', { id: at.id }) }] : []),
]

/** @param {any} at @returns {import('../parts/menu.js').Item[]} */
export function poolItems(at) {
  const found = chosen(at)
  if (!found) return nothing(at)
  const { id, place } = found
  return [
    { about: poolName(place) },
    {
      label: ENABLE,
      checked: verification(place, null)?.tone === 'good',
      run: () => enable(id),
      why: whyNot(place, 'pool.enable_tls_verification'),
    },
    ...membership(id, place),
    ...requestItems(id, place),
    'line',
    ...['certificates', 'map', 'history', 'trusted', 'members', 'users', 'tasks'].map(page => ({
      label: PAGES[page],
      run: () => go(id, 'pool', page),
    })),
    'line',
    { label: 'Disconnect', run: () => send('/api/disconnect', { id }) },
  ]
}

export const PAGES = {
  general: 'General',
  certificates: 'All certificates',
  map: 'Trust map',
  history: 'History',
  trusted: 'Trusted certificates',
  members: 'Members',
  users: 'Users and roles',
  tasks: 'Tasks',
}

/** @param {any} at @returns {import('../parts/menu.js').Item[]} */
export function serverItems(at) {
  const found = chosen(at)
  if (!found) return nothing(at)
  const { id, place } = found
  const ref = hosts(place).find(([, host]) => host.uuid === at.uuid)?.[0] ?? poolOf(place).master
  const host = place.objects.host.get(ref)
  return [
    { about: host?.name_label ?? '' },
    { label: 'Certificates', items: itemsFor(id, ref, more) },
    { label: 'General', run: () => go(id, 'host', host.uuid, 'general') },
    {
      label: can(place, 'pooltrust.probe_members') ? 'Whom it verifies' : 'Pool',
      run: () => go(id, 'pool', can(place, 'pooltrust.probe_members') ? 'map' : 'general'),
    },
  ]
}
