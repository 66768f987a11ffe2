// Small pieces that several pages show.
import { h } from '../core/dom.js'
import { date, validityState, when } from '../core/words.js'
import { icon, iconOf } from './icons.js'
import { copy } from './said.js'
import { menuAt, menuBelow } from './menu.js'

/** @param {{words: string, tone: string, kind?: string}} state */
export const chip = state => h.span({ class: `chip ${state.tone}` }, iconOf(state), state.words)

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

/** The first eight bytes of one, for a table; the whole is what is copied. @param {string} text */
export function shortThumb(text) {
  if (!text) return h.span({ class: 'faint' }, 'not told')
  return h.span(
    { class: 'short-thumb', title: text },
    h.span({ class: 'mono' }, text.slice(0, 23), text.length > 23 ? '…' : ''),
    h.button(
      {
        type: 'button',
        class: 'plain small',
        title: 'Copy the whole thumbprint',
        'aria-label': `Copy thumbprint ${text.slice(0, 11)}`,
        onclick: () => copy(text),
      },
      icon('copy'),
    ),
  )
}

/** A moment, local and in UTC, in two short lines. @param {string} text */
export function moment(text) {
  const read = date(text)
  if (!read) return h.span({ class: 'faint' }, text || 'unknown')
  const [local, utc] = when(read).replace(')', '').split(' (')
  return h.time(
    { datetime: read.toISOString(), class: 'moment' },
    h.span(local),
    utc ? [' ', h.span({ class: 'faint' }, utc)] : null,
  )
}

/** @param {string} from @param {string} until */
export const validity = (from, until) =>
  h.span(`Valid from ${when(from)} to ${when(until)} `, chip(validityState(from, until)))

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

const YEAR = 365

/** How much time is left, as a bar of which a year is the whole, and in words. @param {string} from @param {string} until */
export function daysBar(from, until) {
  const state = validityState(from, until)
  const part = state.days > 0 ? Math.max(0.03, Math.min(1, state.days / YEAR)) : 0
  return h.span(
    { class: `bar-of-days ${state.tone}` },
    h.svg(
      { class: 'days', viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      h.rect({ class: 'all', width: 100, height: 10, rx: 3 }),
      h.rect({ class: 'left', width: Math.round(part * 100), height: 10, rx: 3 }),
    ),
    iconOf(state),
    state.words,
  )
}

/**
 * One fact at a glance: what it is about, how it is, and where more is said.
 * @param {any} about @param {{words: string, tone: string, kind?: string}} state @param {any} [more]
 */
export const tile = (about, state, more) =>
  h.li(
    { class: `tile ${state.tone}` },
    h.span({ class: 'about' }, about),
    h.span({ class: 'how' }, iconOf(state), h.span(state.words)),
    more ? h.span({ class: 'more' }, more) : null,
  )

/** The command line that would have done it. @param {string} line */
export const xeLine = line =>
  h.div(
    { class: 'xe' },
    h.code(line),
    h.button({ type: 'button', 'aria-label': 'Copy the command', onclick: () => copy(line) }, 'Copy'),
  )

/** @param {string} words @param {string} kind */
export const banner = (words, kind = '', ...more) => h.div({ class: `banner ${kind}` }, h.p(words), ...more)
