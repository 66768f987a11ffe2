// The picture: who verifies whom.  A row for each host that connects, then one for each other kind
// of endpoint; a column for each host.  One cell is in the order of tabs, arrows lead to the others.
import { h, name } from '../../core/dom.js'
import { latest, pairState, rank, stateOf, STRANGER, UNASKED, UNSEEN } from './seen.js'
import { conversations, nameOf, show } from './told.js'

/** @typedef {import('./seen.js').Gathered} Gathered */
/** @typedef {import('./seen.js').State} State */
/** @typedef {{label: string, title: string, state: State, rows: () => import('./seen.js').Seen[], host: number}} Cell */
/** @typedef {{key: string, label: string, cells: Cell[], kind: boolean}} Row */

const ROOMY = 6
let at = [0, 0]
/** @type {Row[]} */
let rows = []
/** @type {Gathered|null} */
let newest = null

/** @param {Gathered} seen */
export function grid(seen) {
  newest = seen
  rows = [...seen.asked.map(from => ofHost(seen, from)), ...kindRows(seen)]
  at = [Math.min(at[0], Math.max(0, rows.length - 1)), Math.min(at[1], Math.max(0, seen.asked.length - 1))]
  const roomy = seen.asked.length <= ROOMY
  return h.div(
    { class: 'scroll picture', role: 'region', 'aria-label': 'Trust map', 'data-key': 'picture' },
    h.table(
      {
        class: `map ${roomy ? 'roomy' : 'dense'}`,
        role: 'grid',
        'aria-label': 'Who verifies whom',
        onkeydown: moved,
        onmouseover: hovered,
        onclick: pressed,
      },
      h.thead(
        h.tr(
          h.td({ class: 'corner' }, 'from \\ to'),
          seen.asked.map(({ ref, host }, column) =>
            h.th({ scope: 'col', 'data-key': ref }, h.span(heading(host.name_label, statesOf(column)))),
          ),
        ),
      ),
      h.tbody(
        rows.flatMap((row, index) => [
          index === seen.asked.length ? others(seen) : null,
          shownRow(row, index, roomy),
        ]),
      ),
    ),
  )
}

/** @param {Gathered} seen */
const others = seen =>
  h.tr(
    { class: 'between', 'data-key': 'between' },
    h.th({ colspan: seen.asked.length + 1, scope: 'colgroup' }, 'Other endpoints, as each host has met them'),
  )

/** A name, after how many cells of its row or column are in trouble. @param {string} label @param {State[]} states */
function heading(label, states) {
  const bad = states.filter(one => one.tone === 'bad').length
  const many = bad || states.filter(one => one.tone === 'warn').length
  const count = h.span(
    { class: `${bad ? 'bad' : 'warn'}-text count` },
    bad ? '■ ' : '▲ ',
    String(many),
    h.span({ class: 'hidden-label' }, bad ? ' refused ' : ' in trouble '),
  )
  return [many ? count : null, name(label, 32)]
}

/** @param {number} column */
const statesOf = column => rows.map(row => row.cells[column].state)

/** @param {Gathered} seen @param {import('./seen.js').Asked} from @returns {Row} */
function ofHost(seen, from) {
  const label = from.host.name_label
  return {
    key: from.ref,
    label,
    kind: false,
    cells: seen.asked.map(to => {
      const state = pairState(seen, from, to)
      const title = `${nameOf(seen.place, from.ref)} to ${nameOf(seen.place, to.ref)}`
      const told = () => newest?.pairs.get(`${from.ref} ${to.ref}`) ?? []
      return { title, label: `${title}: ${state.words}`, state, rows: told, host: seen.asked.indexOf(from) }
    }),
  }
}

/** @param {Gathered} seen @returns {Row[]} */
function kindRows(seen) {
  if (!seen.telling) return []
  /** @type {Map<string, Map<string, import('./seen.js').Seen[]>>} */
  const met = new Map(seen.kinds.map(one => [one.kind, new Map()]))
  for (const one of seen.others) {
    const at = met.get(one.kind) ?? new Map()
    met.set(one.kind, at.set(one.at_host, [...(at.get(one.at_host) ?? []), one]))
  }
  const kinds = [...met.entries()].filter(([, at]) => at.size)
  return kinds.map(([kind, at]) => {
    const label = kind === 'member' ? STRANGER : kind
    const cells = seen.asked.map(({ ref, fault }, host) => {
      const state = fault ? UNASKED : worst(at.get(ref) ?? [])
      const title = `${label} at ${nameOf(seen.place, ref)}`
      const told = () => (newest?.others ?? []).filter(one => one.kind === kind && one.at_host === ref)
      return { title, label: `${title}: ${state.words}`, state, rows: told, host }
    })
    return { key: kind, label, kind: true, cells }
  })
}

/** @param {import('./seen.js').Seen[]} found */
const worst = found =>
  latest(found)
    .map(stateOf)
    .sort((a, b) => rank(a) - rank(b))[0] ?? UNSEEN

/** How each cell of a row looked when it was last made. @type {Map<string, string[]>} */
const looks = new Map()

/**
 * A row or cell that looks as before stays as it is, without its content being made anew: with 64
 * hosts there are 4096 of them, and something happens all the time.
 * @param {Row} row @param {number} index @param {boolean} roomy
 */
function shownRow(row, index, roomy) {
  const cells = row.cells.map((one, column) => {
    const tabs = index === at[0] && column === at[1]
    return [one.label, index, column, tabs, roomy].join(' ')
  })
  const there = document.querySelector(`table.map tr[data-key="${CSS.escape(row.key)}"]`)
  const whole = there?.getElementsByTagName('button').length === cells.length
  const before = (whole && looks.get(row.key)) || []
  looks.set(row.key, cells)
  const given = { 'data-key': row.key, class: row.kind ? 'kind' : null }
  if (before.length && before.join(' ') === cells.join(' ')) return h.tr({ ...given, 'data-own': true })
  const states = row.cells.map(one => one.state)
  return h.tr(
    given,
    h.th({ scope: 'row' }, heading(row.label, states)),
    row.cells.map((one, column) =>
      before[column] === cells[column]
        ? h.td({ class: one.state.tone, 'data-own': true })
        : cell(one, `${index},${column}`, roomy),
    ),
  )
}

/** @param {Cell} one @param {string} where @param {boolean} roomy */
const cell = (one, where, roomy) =>
  h.td(
    { class: one.state.tone },
    h.button(
      {
        type: 'button',
        class: `plain ${one.state.tone}-text`,
        'aria-label': one.label,
        tabindex: where === at.join(',') ? 0 : -1,
        'data-at': where,
      },
      one.state.sign,
      roomy ? h.span({ class: 'cell-words' }, ` ${one.state.words}`) : null,
    ),
  )

/** @param {Event} event */
const placeOf = event => {
  const button = /** @type {HTMLElement} */ (event.target).closest('button[data-at]')
  return button ? /** @type {HTMLElement} */ (button).dataset.at?.split(',').map(Number) : undefined
}

/** What a cell says, for a pointer; not in each of 4096 from the start. @param {Event} event */
function hovered(event) {
  const button = /** @type {HTMLElement} */ (event.target).closest('button[data-at]')
  button?.setAttribute('title', button.getAttribute('aria-label') ?? '')
}

/** @param {MouseEvent} event */
function pressed(event) {
  const found = placeOf(event)
  if (!found) return
  go(found[0], found[1])
  const cell = rows[found[0]].cells[found[1]]
  show(cell.title, () => {
    const told = cell.rows()
    const silent = newest?.asked[cell.host].fault
    return [
      silent ? h.p(`The host could not be asked, so this may be old: ${silent}`) : null,
      told.length || silent ? null : h.p('Nothing was observed here since the host was started.'),
      ...(newest ? conversations(newest.place, told) : []),
    ]
  })
}

const STEPS = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  PageUp: [-8, 0],
  PageDown: [8, 0],
  Home: [0, -9999],
  End: [0, 9999],
}

/** @param {KeyboardEvent} event */
function moved(event) {
  const found = placeOf(event)
  const step = STEPS[event.key]
  if (!found || !step) return
  event.preventDefault()
  go(found[0] + step[0], found[1] + step[1], true)
}

/** Make this cell the one that tabs lead to. @param {number} row @param {number} column */
function go(row, column, focus = false) {
  const to = [
    Math.max(0, Math.min(rows.length - 1, row)),
    Math.max(0, Math.min(rows[0].cells.length - 1, column)),
  ]
  const button = where =>
    /** @type {HTMLElement|null} */ (document.querySelector(`table.map button[data-at="${where.join(',')}"]`))
  button(at)?.setAttribute('tabindex', '-1')
  at = to
  button(to)?.setAttribute('tabindex', '0')
  if (focus) button(to)?.focus()
}
