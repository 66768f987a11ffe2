// Alerts of every pool: how bad, about what, for how long, and the right cure for each.
import { answerOf } from '../core/asked.js'
import { h, name } from '../core/dom.js'
import { can, hosts, poolName, poolOf } from '../core/facts.js'
import { go } from '../core/route.js'
import { changed, keepWishes, places, wishes } from '../core/store.js'
import { daysLeft, daysWords, when } from '../core/words.js'
import { enable, refresh, reset } from '../actions/certificates.js'
import { install } from '../actions/install.js'
import { act } from '../actions/act.js'
import { button } from '../parts/dialog.js'
import { banner, chip } from '../parts/pieces.js'
import { table } from '../parts/table.js'

export const SEVERITIES = {
  1: ['critical', 'bad'],
  2: ['major', 'bad'],
  3: ['warning', 'warn'],
  4: ['minor', 'warn'],
  5: ['information', 'good'],
}
const view = { severity: '', put: false }

/** Every alert of every pool. */
export function alerts() {
  return [...places]
    .flatMap(([id, place]) =>
      ['connected', 'waiting'].includes(place.state.standing)
        ? [...place.objects.message.entries()].map(([ref, one]) => rowOf(id, place, ref, one))
        : [],
    )
    .sort((a, b) => a.priority - b.priority || b.at.localeCompare(a.at))
}

/** @param {string} id @param {any} place @param {string} ref @param {any} one */
function rowOf(id, place, ref, one) {
  const told = can(place, 'pooltrust.get_alerts') ? answerOf(id, 'pooltrust.get_alerts').value : null
  const ours = Array.isArray(told) ? told.find(it => it?.uuid === one.uuid) : null
  const until = ours?.date || /<date>(.*?)<\/date>/.exec(one.body ?? '')?.[1] || ''
  const days = until ? ` (${daysWords(daysLeft(until))})` : ''
  const host = hosts(place).find(([, it]) => it.uuid === one.obj_uuid)
  return {
    id,
    ref,
    uuid: one.uuid,
    name: one.name,
    priority: Number(one.priority),
    at: one.timestamp,
    pool: poolName(place),
    about: one.obj_uuid,
    host: host?.[0],
    object:
      host?.[1].name_label ??
      [...place.objects.certificate.values()].find(it => it.uuid === one.obj_uuid)?.name ??
      (one.obj_uuid === poolOf(place)?.uuid ? 'the pool' : ''),
    words:
      (ours?.words ||
        `${one.name.replaceAll('_', ' ').toLowerCase()} ${(one.body ?? '').replace(/<[^>]*>/g, ' ').slice(0, 300)}`) +
      days,
  }
}

export const isPut = row =>
  row.uuid in wishes.acknowledged || (wishes.snoozed[row.uuid] ?? '') > new Date().toISOString()

/** The count and the worst severity, for the bar. */
export function standing() {
  const open = alerts().filter(row => !isPut(row))
  if (!open.length) return { number: 0, words: 'none', tone: 'good' }
  const [words, tone] = SEVERITIES[open[0].priority] ?? ['unknown', 'warn']
  return { number: open.length, words: `${open.length}, ${words}`, tone }
}

export function notifications() {
  const all = alerts().filter(
    row => (view.put || !isPut(row)) && (!view.severity || String(row.priority) === view.severity),
  )
  const filters = [
    h.label(
      { class: 'inline' },
      'Severity',
      h.select(
        {
          'data-key': 'severity',
          onchange: event => {
            view.severity = event.target.value
            changed()
          },
        },
        h.option({ value: '' }, 'all'),
        Object.entries(SEVERITIES).map(([value, [words]]) => h.option({ value }, words)),
      ),
    ),
    h.label(
      { class: 'inline' },
      h.input({
        type: 'checkbox',
        'data-key': 'put',
        onchange: event => {
          view.put = event.target.checked
          changed()
        },
      }),
      'Also acknowledged and snoozed',
    ),
  ]
  return [
    h.h1('Notifications'),
    ...table('notifications', 'Notifications', COLUMNS, all, {
      filters,
      row: row => ({ 'data-key': row.uuid }),
    }),
    all.length ? null : banner('Nothing needs attention.', 'good'),
  ]
}

/** @type {import('../parts/table.js').Column[]} */
const COLUMNS = [
  {
    key: 'priority',
    label: 'Severity',
    value: row => row.priority,
    show: row =>
      chip({
        words: SEVERITIES[row.priority]?.[0] ?? 'unknown',
        tone: SEVERITIES[row.priority]?.[1] ?? 'warn',
      }),
  },
  {
    key: 'words',
    label: 'Message',
    value: row => `${row.words} ${row.name}`,
    show: row => [
      name(row.words, 600),
      isPut(row)
        ? h.div(
            { class: 'faint' },
            row.uuid in wishes.acknowledged
              ? `acknowledged ${when(wishes.acknowledged[row.uuid])}`
              : `snoozed until ${when(wishes.snoozed[row.uuid])}`,
          )
        : null,
    ],
  },
  {
    key: 'object',
    label: 'Object',
    value: row => `${row.object} ${row.pool}`,
    show: row => [name(row.object, 60), h.div({ class: 'faint' }, name(row.pool, 60))],
  },
  { key: 'at', label: 'Since', value: row => row.at, show: row => when(row.at) },
  {
    key: 'do',
    label: 'Actions',
    value: () => '',
    show: row =>
      h.div(
        { class: 'actions' },
        cure(row),
        isPut(row)
          ? button('Bring back', () => put(row, null))
          : [
              button('Acknowledge', () => put(row, 'acknowledged')),
              button('Snooze a day', () => put(row, 'snoozed')),
            ],
        button('Delete…', () => remove(row)),
      ),
  },
]

/** What helps against it. @param {any} row */
function cure(row) {
  if (row.name.startsWith('HOST_SERVER_CERTIFICATE') && row.host)
    return [
      button('Install Certificate…', () => install(row.id, row.host), { class: 'main' }),
      button('Reset Certificate', () => reset(row.id, row.host)),
    ]
  if (row.name.startsWith('HOST_INTERNAL_CERTIFICATE') && row.host)
    return button('Refresh…', () => refresh(row.id, row.host), { class: 'main' })
  if (/^POOL_(CA|PINNED)/.test(row.name))
    return button('Trusted certificates', () => go(row.id, 'pool', 'trusted'), { class: 'main' })
  if (row.name === 'TLS_VERIFICATION_EMERGENCY_DISABLED')
    return [
      button('Verify again…', () => enable(row.id), { class: 'main' }),
      h.span('or on that host: ', h.code('xe host-emergency-reenable-tls-verification')),
    ]
  return null
}

/** @param {any} row @param {'acknowledged'|'snoozed'|null} how */
function put(row, how) {
  delete wishes.acknowledged[row.uuid]
  delete wishes.snoozed[row.uuid]
  if (how) wishes[how][row.uuid] = new Date(Date.now() + (how === 'snoozed' ? 86400000 : 0)).toISOString()
  keepWishes()
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
