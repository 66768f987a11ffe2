// Small pieces that several pages show.
import { h, name } from '../core/dom.js'
import { daysLeft, daysWords, tone, when } from '../core/words.js'
import { copy } from './said.js'
import { menuAt, menuBelow } from './menu.js'

/** @param {{words: string, tone: string}} state */
export const chip = state =>
  h.span(
    { class: `chip ${state.tone}` },
    h.span({ 'aria-hidden': 'true' }, { good: '●', warn: '▲', bad: '■' }[state.tone] ?? '○'),
    state.words,
  )

/** A thumbprint that can be copied. @param {string} text */
export function thumb(text, large = false) {
  if (!text) return h.span({ class: 'faint' }, 'no thumbprint told')
  return h.span(
    h.span({ class: `mono thumbprint${large ? ' large' : ''}` }, text),
    h.button(
      {
        type: 'button',
        class: 'plain',
        'aria-label': `Copy thumbprint ${text.slice(0, 11)}`,
        onclick: () => copy(text),
      },
      'Copy',
    ),
  )
}

/** @param {string} from @param {string} until */
export const validity = (from, until) =>
  h.span(
    `Valid from ${when(from)} to ${when(until)} `,
    chip({ words: daysWords(daysLeft(until)), tone: tone(daysLeft(until)) }),
  )

/** One entry of a list of facts; its menu opens at a right click, by its button, and by the menu key. */
export function entry(label, value, items = [], given = {}) {
  const more =
    items.length > 0 &&
    h.dd(
      { class: 'more' },
      h.button(
        {
          type: 'button',
          class: 'plain',
          'aria-haspopup': 'menu',
          'aria-expanded': 'false',
          'aria-label': `Actions for ${label}`,
          onclick: event => menuBelow(event.currentTarget, items),
        },
        '⋯',
      ),
    )
  return h.div(
    { ...given, oncontextmenu: items.length ? event => menuAt(event, items, label) : null },
    h.dt(label),
    h.dd(value),
    more,
  )
}

/** How many days are left, as a bar and in words. @param {string} until @param {string} from */
export function daysBar(from, until) {
  const days = daysLeft(until)
  const whole = Math.max(1, (new Date(when24(until)).getTime() - new Date(when24(from)).getTime()) / 86400000)
  const part = Math.max(0, Math.min(1, days / whole))
  return h.span(
    { class: 'bar-of-days' },
    h.svg(
      { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      h.rect({ class: 'all', width: 100, height: 10, rx: 3 }),
      h.rect({ class: tone(days), width: Math.round(part * 100), height: 10, rx: 3 }),
    ),
    daysWords(days),
  )
}

const when24 = text => text.replace(/^(\d{4})(\d\d)(\d\d)T/, '$1-$2-$3T')

/** The command line that would have done it. @param {string} line */
export const xeLine = line =>
  h.div(
    { class: 'xe' },
    h.code(line),
    h.button({ type: 'button', 'aria-label': 'Copy the command', onclick: () => copy(line) }, 'Copy'),
  )

/** @param {string} words @param {string} kind */
export const banner = (words, kind = '', ...more) => h.div({ class: `banner ${kind}` }, h.p(words), ...more)

export { name }
