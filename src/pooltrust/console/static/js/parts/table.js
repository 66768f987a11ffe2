// A table that is sorted by its headings and filtered by a box and by choices, and remembers them.
// A row may open to show the rest of what is known.  On a narrow screen each row is a card.
import { h, versioned } from '../core/dom.js'
import { order } from '../core/facts.js'
import { changed } from '../core/store.js'

/**
 * @typedef {{by: string, down: boolean, filter: string, shown: number, open: Set<string>, picked: Record<string, string>}} State
 * @typedef {{key: string, label: string, value: (row: any) => string|number, show?: (row: any) => any, grow?: boolean}} Column
 * @typedef {object} Choice by the value that rows have, or by values of its own and which rows match them
 * @property {string} key @property {string} label @property {string} [all] @property {(row: any) => string} [value]
 * @property {string[]} [order] @property {string[]} [values] @property {(row: any, value: string) => boolean} [matches]
 * @typedef {object} More
 * @property {number} [first] how many rows are shown before more are asked for
 * @property {any[]} [filters] @property {(row: any) => Record<string, any>} [row]
 * @property {string} [sort] the column that it is sorted by at first
 * @property {Choice[]} [choices] what else it can be filtered by, of the values that there are
 * @property {(row: any) => string} [search] what is searched besides its columns
 * @property {(row: any) => any} [details] what a row shows when it is opened; rows need a data-key then
 * @property {(row: any) => string} [version] what all that a row shows follows from, for tables that are long
 * @property {any} [empty] what is said when there is no row at all
 */

/** @type {Map<string, State>} */
const chosen = new Map()
const FIRST = 200

/** @param {string} key @param {More} more @returns {State} */
function stateOf(key, more) {
  const state = chosen.get(key) ?? {
    by: more.sort ?? '',
    down: false,
    filter: '',
    shown: more.first ?? FIRST,
    open: new Set(),
    picked: {},
  }
  chosen.set(key, state)
  return state
}

/** @param {string} key @param {string} caption @param {Column[]} columns @param {any[]} rows @param {More} [more] */
export function table(key, caption, columns, rows, more = {}) {
  const state = stateOf(key, more)
  const found = shownRows(key, columns, rows, more)
  const cut = found.slice(0, state.shown)
  return [
    h.div(
      { class: 'actions filters' },
      searchBox(key, caption, state),
      (more.choices ?? []).map(one => choice(key, one, rows, state)),
      ...(more.filters ?? []),
      h.span(
        { class: 'faint count', role: 'status' },
        found.length === rows.length ? `${rows.length}` : `${found.length} of ${rows.length}`,
      ),
    ),
    h.div(
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
      h.table(
        { class: 'stacked' },
        h.caption({ class: 'hidden-label' }, caption),
        h.thead(h.tr(columns.map(one => heading(one, state)))),
        h.tbody(cut.map(row => rowShown(row, columns, more, state))),
      ),
      found.length ? null : h.div({ class: 'faint none' }, nothing(rows, more)),
    ),
    found.length > cut.length ? showMore(found.length - cut.length, state) : null,
  ]
}

/** @param {any[]} rows @param {More} more */
const nothing = (rows, more) =>
  rows.length ? 'Nothing here is like that.' : (more.empty ?? 'There is none.')

/** The rows that a table shows now. @param {string} key @param {Column[]} columns @param {any[]} rows @param {More} [more] */
export function shownRows(key, columns, rows, more = {}) {
  const state = stateOf(key, more)
  const found = filtered(rows, columns, state, more)
  const column = columns.find(one => one.key === state.by)
  if (column) found.sort((a, b) => compare(column.value(a), column.value(b)) * (state.down ? -1 : 1))
  return found
}

/** @param {any} row @param {Column[]} columns @param {More} more @param {State} state */
function rowShown(row, columns, more, state) {
  const given = more.row?.(row) ?? {}
  const key = given['data-key']
  const open = Boolean(more.details && state.open.has(key))
  const cells = () =>
    columns.map((one, index) =>
      h.td(
        { 'data-label': one.label, class: one.grow ? 'grow' : null },
        index === 0 && more.details ? opener(key, open, String(one.value(row)), state) : null,
        one.show ? one.show(row) : String(one.value(row)),
      ),
    )
  const version = more.version?.(row)
  if (version !== undefined) {
    const shown = versioned(h.tr({ ...given, class: open ? 'opened' : null }), `${version} ${open}`, cells)
    return open ? [shown, detailsRow(key, row, columns, more)] : shown
  }
  if (!open) return h.tr(given, cells())
  return [h.tr({ ...given, class: 'opened' }, cells()), detailsRow(key, row, columns, more)]
}

/** @param {string} key @param {any} row @param {Column[]} columns @param {More} more */
const detailsRow = (key, row, columns, more) =>
  h.tr(
    { class: 'details', 'data-key': `${key} details` },
    h.td({ colspan: columns.length }, more.details?.(row)),
  )

/** @param {string} key @param {boolean} open @param {string} about @param {State} state */
const opener = (key, open, about, state) =>
  h.button(
    {
      type: 'button',
      class: 'plain small opener',
      'aria-expanded': String(open),
      'aria-label': `Details of ${about.slice(0, 60)}`,
      onclick: () => {
        if (open) state.open.delete(key)
        else state.open.add(key)
        changed()
      },
    },
    h.span({ 'aria-hidden': 'true' }, open ? '▾' : '▸'),
  )

/** @param {string} key @param {string} caption @param {State} state */
const searchBox = (key, caption, state) =>
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
  )

/** One of the values that the rows have, or all. @param {string} key @param {Choice} one @param {any[]} rows @param {State} state */
function choice(key, one, rows, state) {
  const values = valuesOf(one, rows)
  const picked = state.picked[one.key] ?? ''
  if (values.length < 2 && !picked) return null
  if (picked && !values.includes(picked)) values.push(picked)
  return h.label(
    { class: 'inline' },
    one.label,
    h.select(
      {
        'data-key': `${key} ${one.key}`,
        onchange: event => {
          state.picked[one.key] = event.target.value
          changed()
        },
      },
      h.option({ value: '', selected: !picked }, one.all ?? 'all'),
      values.map(value =>
        h.option({ value, selected: value === picked, 'data-key': value }, value.slice(0, 60)),
      ),
    ),
  )
}

/** @param {Choice} one @param {any[]} rows */
function valuesOf(one, rows) {
  if (one.values) return [...one.values]
  const at = value => (one.order?.includes(value) ? one.order.indexOf(value) : 99)
  const values = [...new Set(rows.map(row => one.value?.(row) ?? ''))].filter(Boolean)
  return values.sort((a, b) => at(a) - at(b) || compare(a, b))
}

/** @param {number} left @param {State} state */
const showMore = (left, state) =>
  h.button(
    {
      type: 'button',
      onclick: () => {
        state.shown += 1000
        changed()
      },
    },
    `Show more: ${left} are left`,
  )

/** @param {any[]} rows @param {Column[]} columns @param {State} state @param {More} more */
function filtered(rows, columns, state, more) {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean)
  const picks = (more.choices ?? []).filter(one => state.picked[one.key])
  return rows.filter(row => {
    if (!picks.every(one => fits(one, row, state.picked[one.key]))) return false
    if (!words.length) return true
    const texts = [...columns.map(one => one.value(row)), more.search?.(row) ?? '']
    const text = texts.join(' ').toLowerCase()
    return words.every(word => text.includes(word))
  })
}

/** @param {Choice} one @param {any} row @param {string} picked */
const fits = (one, row, picked) => (one.matches ? one.matches(row, picked) : one.value?.(row) === picked)

/** What it sorts by; a column `do` has buttons, and no order. @param {Column} column @param {State} state */
function heading(column, state) {
  if (column.key === 'do') return h.th({ scope: 'col' }, column.label)
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
  typeof a === 'number' && typeof b === 'number' ? a - b : order.compare(String(a), String(b))
