// The same for several hosts, one after another: what fails on one does not stop the others, and each
// tells how it ended.
import { call } from '../core/api.js'
import { h, name } from '../core/dom.js'
import { places } from '../core/store.js'
import { ask, button, close, closing, redraw, turn } from '../parts/dialog.js'
import { banner, xeLine } from '../parts/pieces.js'
import { say } from '../parts/said.js'
import { comes } from './act.js'
import { xeLineOf } from './xe.js'

/**
 * @typedef {object} One
 * @property {string} label @property {string} method @property {any[]} parameters
 * @property {any} [about] what is shown of it beforehand @property {() => boolean} [seen] that it was done
 */

/**
 * @param {object} wanted
 * @param {string} wanted.id @param {string} wanted.title @param {any[]} wanted.warning @param {One[]} wanted.each
 * @param {string} wanted.confirm @param {(results: any[]) => any[]} [wanted.after]
 */
export function several(wanted) {
  const { title, warning, each, confirm } = wanted
  ask(
    title,
    [
      ...warning,
      h.ol(
        { class: 'plan' },
        each.map(one => h.li(h.strong(name(one.label, 80)), one.about)),
      ),
    ],
    [closing(), button(confirm, () => run(wanted), { class: 'main', autofocus: true })],
  )
}

/** @param {any} wanted */
async function run(wanted) {
  const { id, title, each } = wanted
  ask(title, [h.p({ class: 'busy', role: 'status' }, 'Beginning…')], [closing('Close; it goes on')])
  const asked = turn()
  const ended = each.map(() => ({ words: 'its turn comes', tone: '', result: undefined }))
  const show = () => turn() === asked && redraw(title, [listed(each, ended)], [closing('Close; it goes on')])
  for (const [n, one] of each.entries()) {
    ended[n] = { words: 'it is being done…', tone: '', result: undefined }
    show()
    ended[n] = await carriedOut(id, one)
  }
  const good = ended.filter(one => one.tone === 'good').length
  const words = `${good} of ${each.length} done.`
  if (turn() !== asked) return say(`${title}: ${words}`)
  const lines = await linesOf(id, each)
  ask(
    title,
    [
      banner(words, good === each.length ? 'good' : 'bad'),
      listed(each, ended),
      ...(wanted.after?.(ended.map(one => one.result)) ?? []),
      lines.length ? h.h3('The same by the command line') : null,
      lines.map(xeLine),
    ],
    [button('Close', close, { class: 'main', autofocus: true })],
  )
}

/** @param {string} id @param {any} one */
async function carriedOut(id, one) {
  try {
    const result = await call(id, one.method, ...one.parameters)
    await comes(one, 5)
    return { words: 'done', tone: 'good', result }
  } catch (why) {
    const told = /** @type {any} */ (why)
    if (told.code === 'CONNECTION_LOST' && one.seen && (await comes(one, 20)))
      return { words: 'done', tone: 'good', result: undefined }
    return { words: `not done. ${told.message}`, tone: 'bad', result: undefined }
  }
}

/** @param {One[]} each @param {{words: string, tone: string}[]} ended */
const listed = (each, ended) =>
  h.ul(
    { class: 'plain', role: 'status' },
    each.map((one, n) =>
      h.li(
        h.strong(name(one.label, 80)),
        ': ',
        h.span({ class: ended[n].tone ? `${ended[n].tone}-text` : '' }, name(ended[n].words, 600)),
      ),
    ),
  )

/** @param {string} id @param {One[]} each */
async function linesOf(id, each) {
  const place = places.get(id)
  if (!place) return []
  const lines = await Promise.all(each.map(one => xeLineOf(place, one.method, one.parameters)))
  return [...new Set(lines.filter(Boolean))]
}
