// The console: what is where, and when it is drawn again.
import { standing } from './core/alerts.js'
import { draw, h, name } from './core/dom.js'
import { hosts, hostState, poolName, poolOf, poolState, worstOf } from './core/facts.js'
import { route, to } from './core/route.js'
import { begin, changed, listen, places } from './core/store.js'
import { offer } from './actions/certificates.js'
import { begin as beginDialog } from './parts/dialog.js'
import { chip, tile } from './parts/pieces.js'
import { say } from './parts/said.js'
import { begin as beginWords } from './parts/stuck.js'
import { bar, PAGES, showTree } from './pages/bar.js'
import { tree as tree_ } from './pages/tree.js'
import { addServer, between } from './pages/connect.js'
import { changedCertificate, stranger } from './pages/trust/judging.js'
import { page as pageOf } from './pages/pages.js'
import { heard as reportHeard } from './core/asked.js'
import { notifications } from './pages/notifications.js'
import { known } from './pages/known.js'
import { suspended } from './pages/pool/tasks.js'

const part = id => /** @type {HTMLElement} */ (document.getElementById(id))
const SOON = 60
const LATEST = 500
let due = false
let took = 0

/** Draw once for many events, and spend at most a fifth of the time on it: all times in milliseconds. */
function drawSoon() {
  if (due) return
  due = true
  setTimeout(
    () => {
      due = false
      drawAll()
    },
    Math.min(LATEST, Math.max(SOON, 4 * took)),
  )
}

function drawAll() {
  const began = performance.now()
  const at = route()
  drawPart('bar', () => bar(at))
  drawPart('tree', () => tree_(at))
  drawPart('main', () => main(at))
  part('frame').classList.toggle('no-page', at.kind === 'start')
  try {
    drawTitle(at)
  } catch {
    document.title = 'pooltrust — console' // the parts of the page say why
  }
  took = performance.now() - began
}

/** Where one is, and how bad it is anywhere, for whoever has other windows before this one. @param {import('./core/route.js').Route} at */
function drawTitle(at) {
  const place = at.id ? places.get(at.id) : undefined
  const count = standing()
  const title = `${count.number ? `(${count.words}) ` : ''}${place ? poolName(place).slice(0, 60) : 'pooltrust'} — console`
  if (document.title !== title) document.title = title
  const worst = worstOf([count, ...[...places.values()].map(poolState)]).tone
  const icon = `icon${worst === 'bad' ? '-bad' : worst === 'good' ? '' : '-warn'}.svg`
  const link = part('favicon')
  if (link.getAttribute('href') !== icon) link.setAttribute('href', icon)
}

/** What one pool tells in a form that no page expects must not end the rest. @param {string} id @param {() => any[]} made */
function drawPart(id, made) {
  let children
  try {
    children = made()
  } catch (why) {
    children = [
      h.p(
        { class: 'bad-text', role: 'alert' },
        'What a pool tells can’t be shown here: ',
        name(String(why), 200),
      ),
    ]
  }
  draw(part(id), ...children)
}

/** @param {import('./core/route.js').Route} at */
function main(at) {
  if (at.kind === 'known') return known()
  if (at.kind === 'notifications') return notifications()
  const place = at.id ? places.get(at.id) : undefined
  if (!place) return start()
  const { state } = place
  if (state.standing === 'stranger') return stranger(state)
  if (state.standing === 'changed') return changedCertificate(state)
  if (state.standing !== 'connected') {
    const kept = poolOf(place) && state.standing === 'waiting'
    return [
      ...(kept ? [] : [h.div({ class: 'title' }, h.h1(name(poolName(place))), chip(poolState(place)))]),
      ...between(state),
      ...(kept ? titled(at, place) : []),
    ]
  }
  return poolOf(place) ? titled(at, place) : [h.p({ class: 'busy' }, 'Reading what there is…')]
}

/** @param {import('./core/route.js').Route} at @param {any} place */
function titled(at, place) {
  const id = /** @type {string} */ (at.id)
  if (at.kind === 'host') {
    const found = hosts(place).find(([, host]) => host.uuid === at.uuid)
    if (!found)
      return [
        h.h1('That host is not in the pool any more'),
        h.a({ href: to(id, 'pool', 'general') }, 'To the pool'),
      ]
    return [
      h.div({ class: 'title' }, h.h1(name(found[1].name_label)), chip(hostState(place, found[0]))),
      ...suspended(id, place),
      ...pageOf(at, id, place, found[0]),
    ]
  }
  return [
    h.div({ class: 'title' }, h.h1(name(poolName(place))), chip(poolState(place))),
    h.nav(
      { class: 'tabs', 'aria-label': 'Pages of the pool' },
      Object.entries(PAGES).map(([page, label]) =>
        h.a({ href: to(id, 'pool', page), 'aria-current': at.page === page ? 'page' : null }, label),
      ),
    ),
    ...suspended(id, place),
    ...pageOf(at, id, place, null),
  ]
}

/** @param {[string, any]} given */
const poolTile = ([id, place]) => {
  const many = place.objects.host.size
  return tile(
    h.a({ href: to(id, 'pool', 'general') }, name(poolName(place), 60)),
    poolState(place),
    many ? `${many} ${many === 1 ? 'host' : 'hosts'}` : null,
  )
}

function start() {
  if (places.size) return [h.h1('Pools'), h.ul({ class: 'tiles' }, [...places].map(poolTile))]
  return [
    h.h1('Welcome'),
    h.p(
      'This console sees and steers pools of hosts, from this machine. Add a server: you will be shown its certificate before anything is said to it.',
    ),
    h.div(
      { class: 'actions' },
      h.button({ type: 'button', class: 'main', onclick: addServer }, 'Add server'),
    ),
  ]
}

listen(said => {
  if (said.kind === 'place') {
    if (said.before === 'waiting' && said.place.standing === 'connected')
      say(`Connected again to ${said.place.address}.`)
  }
  if (said.kind === 'objects') {
    reportHeard(said)
    if (said.all) offer(said.id)
  }
  if (said.kind === 'begin' || said.kind === 'place') {
    const at = route()
    if (at.kind === 'start' && places.size === 1) location.hash = to([...places.keys()][0], 'pool', 'general')
  }
  drawSoon()
})

addEventListener('hashchange', () => {
  showTree(false)
  drawAll()
  part('main').focus()
  scrollTo(0, 0)
  document.querySelector('.tabs [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
})
setInterval(() => {
  if ([...places.values()].some(place => place.state.standing === 'waiting')) changed()
}, 1000)
setInterval(() => changed(), 60000) // days go by
beginDialog()
beginWords()
drawAll()
begin()
