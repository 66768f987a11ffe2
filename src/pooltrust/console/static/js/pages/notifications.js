// Alerts of every pool: how bad, about what, for how long, and the right cure for each.
import { alerts, endOf, isPut, SEVERITIES } from '../core/alerts.js'
import { h, name } from '../core/dom.js'
import { go, to } from '../core/route.js'
import { changed, keepWishes, places, wishes } from '../core/store.js'
import { date, spanWords, when } from '../core/words.js'
import { enable, ENABLE, refresh, reset } from '../actions/certificates.js'
import { install } from '../actions/install.js'
import { act } from '../actions/act.js'
import { button } from '../parts/dialog.js'
import { menuBelow } from '../parts/menu.js'
import { banner, chip, moment } from '../parts/pieces.js'
import { table } from '../parts/table.js'

const view = { put: false }
const HOUR = 3600000
const SEVERITY_WORDS = Object.values(SEVERITIES).map(([words]) => words)

export function notifications() {
  const all = alerts()
  const put = all.filter(isPut).length
  const shown = view.put ? all : all.filter(row => !isPut(row))
  return [
    h.h1('Notifications'),
    ...table('notifications', 'Notifications', COLUMNS, shown, {
      choices: [
        { key: 'severity', label: 'Severity', value: row => row.severity, order: SEVERITY_WORDS },
        { key: 'kind', label: 'Kind', value: row => row.kind },
        { key: 'pool', label: 'Pool', value: row => row.pool },
      ],
      filters: [put || view.put ? alsoPut(put) : null],
      row: row => ({ 'data-key': row.uuid, class: isPut(row) ? 'put-aside' : null }),
      search: row => row.name,
      empty: empty(put),
    }),
    h.p(
      { class: 'faint' },
      'An alert goes by itself when its cause is gone. To acknowledge or snooze one puts it aside for you alone; the pages of its pool show what is so all the same.',
    ),
  ]
}

/** @param {number} put */
const empty = put => [
  banner('Nothing needs attention.', 'good'),
  put
    ? h.p(
        { class: 'faint' },
        `${put} put aside by you: `,
        button('Show them', () => showPut(true)),
      )
    : null,
]

/** @param {boolean} shown */
function showPut(shown) {
  view.put = shown
  changed()
}

/** @param {number} put */
const alsoPut = put =>
  h.label(
    { class: 'inline' },
    h.input({
      type: 'checkbox',
      'data-key': 'put',
      checked: view.put,
      onchange: event => showPut(event.target.checked),
    }),
    `Also what was put aside (${put})`,
  )

/** @type {import('../parts/table.js').Column[]} */
const COLUMNS = [
  {
    key: 'priority',
    label: 'Severity',
    value: row => row.priority,
    show: row => chip({ words: row.severity, tone: SEVERITIES[row.priority]?.[1] ?? 'warn' }),
  },
  { key: 'words', label: 'Message', value: row => row.words, show: message, grow: true },
  { key: 'object', label: 'Object', value: row => `${row.object} ${row.pool}`, show: object },
  {
    key: 'at',
    label: 'Since',
    value: row => row.at,
    show: row => [moment(row.at), h.div({ class: 'faint' }, age(row.at))],
  },
]

/** @param {any} row */
function message(row) {
  const end = endOf(row)
  return [
    h.div({ class: 'words' }, name(row.words, 600)),
    end ? h.div(chip(end), h.span({ class: 'faint' }, ` until ${when(row.until)}`)) : null,
    isPut(row) ? h.div({ class: 'faint' }, putWords(row)) : null,
    h.div({ class: 'actions cures' }, cure(row), h.span({ class: 'apart' }, asides(row))),
  ]
}

/** @param {any} row */
const asides = row => [
  isPut(row)
    ? button('Bring back', () => put(row, null), { class: 'plain' })
    : [button('Acknowledge', () => put(row, 'acknowledged'), { class: 'plain' }), snooze(row)],
  button('Delete…', () => remove(row), { class: 'plain' }),
]

/** @param {any} row */
function object(row) {
  const host = row.host && places.get(row.id)?.objects.host.get(row.host)
  const label = name(row.object || '–', 60)
  return [
    host ? h.a({ href: to(row.id, 'host', host.uuid, 'general') }, label) : label,
    h.div({ class: 'faint' }, name(row.pool, 60)),
  ]
}

/** @param {string} at */
const age = at => {
  const began = date(at)?.getTime()
  return began ? `for ${spanWords(Date.now() - began)}` : ''
}

/** @param {any} row */
const putWords = row =>
  row.uuid in wishes.acknowledged
    ? `acknowledged ${when(wishes.acknowledged[row.uuid])}`
    : `snoozed until ${when(wishes.snoozed[row.uuid])}`

/** What helps against it. @param {any} row */
function cure(row) {
  const page = (words, to) => button(words, () => go(row.id, 'pool', to), { class: 'main' })
  switch (row.name.replace(/_(EXPIR\w+)$/, '')) {
    case 'HOST_SERVER_CERTIFICATE':
      return row.host
        ? [
            button('Install Certificate…', () => install(row.id, row.host), { class: 'main' }),
            button('Reset Certificate', () => reset(row.id, row.host)),
          ]
        : null
    case 'HOST_INTERNAL_CERTIFICATE':
    case 'HOST_INTERNAL_CERTIFICATE_REFRESH_OVERDUE':
      return row.host ? button('Refresh…', () => refresh(row.id, row.host), { class: 'main' }) : null
    case 'HOST_RESTORED_OR_CLONED':
      return row.host
        ? [button('Refresh…', () => refresh(row.id, row.host), { class: 'main' }), page('Members', 'members')]
        : null
    case 'POOL_CA_CERTIFICATE':
    case 'POOL_PINNED_CERTIFICATE':
      return page('Replace or remove it…', 'trusted')
    case 'POOL_TLS_VERIFICATION_DISABLED':
      return button(ENABLE, () => enable(row.id), { class: 'main' })
    case 'TLS_VERIFICATION_EMERGENCY_DISABLED':
      return [
        button('Verify again…', () => enable(row.id), { class: 'main' }),
        h.span(
          { class: 'faint' },
          'or on that host: ',
          h.code('xe host-emergency-reenable-tls-verification'),
        ),
      ]
    case 'TRUST_LOG_FORKED':
      return page('See the history', 'history')
    case 'EJECTED_HOST_KNOCKING':
    case 'HOST_NEVER_HEARD':
      return page('Members', 'members')
    case 'FAILED_LOGIN_ATTEMPTS':
      return page('Users and sessions', 'users')
    default:
      return null
  }
}

/** @param {any} row */
const snooze = row =>
  h.button(
    {
      type: 'button',
      class: 'plain',
      'aria-haspopup': 'menu',
      'aria-expanded': 'false',
      onclick: event =>
        menuBelow(event.currentTarget, [
          { label: 'For an hour', run: () => put(row, 'snoozed', HOUR) },
          { label: 'For a day', run: () => put(row, 'snoozed', 24 * HOUR) },
          { label: 'For a week', run: () => put(row, 'snoozed', 168 * HOUR) },
        ]),
    },
    'Snooze ▾',
  )

/** @param {any} row @param {'acknowledged'|'snoozed'|null} how */
function put(row, how, span = 0) {
  forgetOld()
  delete wishes.acknowledged[row.uuid]
  delete wishes.snoozed[row.uuid]
  if (how) wishes[how][row.uuid] = new Date(Date.now() + span).toISOString()
  keepWishes()
}

/** What was put aside long ago is about alerts that are gone. */
function forgetOld() {
  const now = new Date().toISOString()
  const year = new Date(Date.now() - 366 * 24 * HOUR).toISOString()
  for (const [uuid, until] of Object.entries(wishes.snoozed)) if (until < now) delete wishes.snoozed[uuid]
  for (const [uuid, at] of Object.entries(wishes.acknowledged))
    if (at < year) delete wishes.acknowledged[uuid]
}

/** @param {any} row */
function remove(row) {
  act({
    id: row.id,
    title: 'Delete this alert',
    method: 'message.destroy',
    parameters: [row.ref],
    confirm: 'Delete for everyone',
    danger: true,
    warning: [
      h.p(name(row.words, 400)),
      h.p(
        'It is deleted on the pool, for everyone. If its cause is still there it comes back. To put it aside for yourself, acknowledge or snooze it.',
      ),
    ],
  })
}
