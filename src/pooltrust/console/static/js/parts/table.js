// A table that is sorted by its headings and filtered by a box, and remembers both.
import { h } from '../core/dom.js'
import { changed } from '../core/store.js'

/** @type {Map<string, {by: string, down: boolean, filter: string, shown: number}>} */
const chosen = new Map()
const FIRST = 200

/** @typedef {{key: string, label: string, value: (row: any) => string|number, show?: (row: any) => any}} Column */

/** @param {string} key */
function stateOf(key) {
  const state = chosen.get(key) ?? { by: '', down: false, filter: '', shown: FIRST }
  chosen.set(key, state)
  return state
}

/**
 * @param {string} key @param {string} caption @param {Column[]} columns @param {any[]} rows
 * @param {{filters?: any[], row?: (row: any) => Record<string, any>}} [more]
 */
export function table(key, caption, columns, rows, more = {}) {
  const state = stateOf(key)
  const found = filtered(rows, columns, state.filter)
  const column = columns.find(one => one.key === state.by)
  if (column) found.sort((a, b) => compare(column.value(a), column.value(b)) * (state.down ? -1 : 1))
  const cut = found.slice(0, state.shown)
  return [
    h.div(
      { class: 'actions' },
      h.label(
        { class: 'inline grow' },
        h.span({ class: 'hidden-label' }, `Filter ${caption}`),
        h.input({
          type: 'search',
          placeholder: 'Filter',
          'data-key': `${key} filter`,
          value: state.filter,
          oninput: event => {
            state.filter = event.target.value
            changed()
          },
        }),
      ),
      ...(more.filters ?? []),
      h.span(
        { class: 'faint', role: 'status' },
        found.length === rows.length ? `${rows.length}` : `${found.length} of ${rows.length}`,
      ),
    ),
    h.div(
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
      h.table(
        h.caption({ class: 'hidden-label' }, caption),
        h.thead(h.tr(columns.map(one => heading(one, state)))),
        h.tbody(
          cut.map(row =>
            h.tr(
              more.row?.(row) ?? {},
              columns.map(one => h.td(one.show ? one.show(row) : String(one.value(row)))),
            ),
          ),
        ),
      ),
    ),
    found.length > cut.length
      ? h.button(
          {
            type: 'button',
            onclick: () => {
              state.shown += 1000
              changed()
            },
          },
          `Show more: ${found.length - cut.length} are left`,
        )
      : null,
  ]
}

/** The rows that a table shows now. @param {string} key @param {Column[]} columns @param {any[]} rows */
export const shownRows = (key, columns, rows) => filtered(rows, columns, stateOf(key).filter)

/** @param {any[]} rows @param {Column[]} columns @param {string} filter */
function filtered(rows, columns, filter) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return [...rows]
  return rows.filter(row => {
    const text = columns
      .map(one => one.value(row))
      .join(' ')
      .toLowerCase()
    return words.every(word => text.includes(word))
  })
}

/** @param {Column} column @param {any} state */
function heading(column, state) {
  const sorted = state.by === column.key
  const sort = () => {
    state.down = sorted ? !state.down : false
    state.by = column.key
    changed()
  }
  return h.th(
    { scope: 'col', 'aria-sort': sorted ? (state.down ? 'descending' : 'ascending') : null },
    h.button(
      { type: 'button', class: 'plain', onclick: sort },
      column.label,
      h.span({ 'aria-hidden': 'true' }, sorted ? (state.down ? ' ▾' : ' ▴') : ''),
    ),
  )
}

/** @param {string|number} a @param {string|number} b */
const compare = (a, b) =>
  typeof a === 'number' && typeof b === 'number'
    ? a - b
    : String(a).localeCompare(String(b), 'en', { numeric: true })
