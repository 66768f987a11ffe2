// Small drawings for states.  Each shape says what its colour says, for whoever does not see colours;
// the words stand beside it, so a screen reader is told nothing of it.
import { h } from '../core/dom.js'

const SHIELD = 'M8 1.6 13.4 3.6v4.1c0 3.3-2.1 5.6-5.4 6.7-3.3-1.1-5.4-3.4-5.4-6.7V3.6z'
const ROUND = 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8z'

/** The lines of each, and what is filled, in a square of 16. @type {Record<string, [string, string?]>} */
const SHAPES = {
  verified: [`${SHIELD}M5.4 8l2 2 3.4-3.9`],
  off: [`${SHIELD}M2 1.5l12 13`],
  override: [`${SHIELD}M8 4.8v3.8M8 10.9v.2`],
  expired: [`${ROUND}M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6`],
  soon7: [ROUND, 'M8 8V3.6A4.4 4.4 0 0 1 12.4 8z'],
  soon14: [ROUND, 'M8 8V3.6a4.4 4.4 0 0 1 0 8.8z'],
  soon30: [ROUND, 'M8 8V3.6A4.4 4.4 0 1 1 3.6 8z'],
  early: [`${ROUND}M8 4.6V8H5.4`],
  away: ['M1.5 8h3.6M10.9 8h3.6M5.1 5v6M10.9 5v6'],
  busy: ['', 'M3 9.4a1.4 1.4 0 1 0 0-2.8zm5 0a1.4 1.4 0 1 0 0-2.8zm5 0a1.4 1.4 0 1 0 0-2.8z'],
  stranger: [`${ROUND}M6.2 6.4a1.9 1.9 0 1 1 2.6 1.7c-.6.3-.8.6-.8 1.2M8 11.2v.2`],
  changed: ['M2.5 5.4h10.3L10.2 2.8M13.5 10.6H3.2l2.6 2.6'],
  refused: [`${ROUND}M3.7 3.7l8.6 8.6`],
  paused: [`${ROUND}M6.3 5.6v4.8M9.7 5.6v4.8`],
  good: ['M3 8.6l3.3 3.3L13 4.8'],
  note: [`${ROUND}M8 7.4v3.8M8 4.8v.2`],
  warn: ['M8 2.2 14.6 13.6H1.4zM8 6.4v3.2M8 11.5v.2'],
  bad: ['M5.3 1.8h5.4l3.5 3.5v5.4l-3.5 3.5H5.3l-3.5-3.5V5.3zM8 4.8v3.8M8 11v.2'],
  clock: [`${ROUND}M8 4.6V8l2.4 1.6`],
  names: ['M2.4 3.4h11.2v9.2H2.4zM4.8 6.6h6.4M4.8 9.4h3.8'],
  members: ['M2 3h12v4H2zM2 9h12v4H2zM4.4 5h.2M4.4 11h.2'],
  bell: ['M8 2a4 4 0 0 0-4 4c0 3.6-1.4 4.6-1.4 5.4h10.8c0-.8-1.4-1.8-1.4-5.4a4 4 0 0 0-4-4zM6.6 13.8h2.8'],
  copy: ['M5.6 5.6h8v8h-8zM10.4 5.6V2.4h-8v8h3.2'],
}

/** @param {string} kind */
export function icon(kind) {
  const [lines, filled] = SHAPES[kind] ?? SHAPES.note
  return h.svg(
    { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    lines ? h.path({ d: lines }) : null,
    filled ? h.path({ d: filled, class: 'filled' }) : null,
  )
}

/** The drawing of a state that has words and a tone, and perhaps a kind of its own. @param {any} state */
export const iconOf = state => icon(state.kind ?? state.tone)
