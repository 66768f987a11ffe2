// The trust log in words, each entry checked on this machine before it is shown as holding.
import { get } from '../../core/api.js'
import { answer } from '../../core/asked.js'
import { h, name } from '../../core/dom.js'
import { can } from '../../core/facts.js'
import { date } from '../../core/words.js'
import { banner, chip, moment } from '../../parts/pieces.js'
import { table } from '../../parts/table.js'

/** @param {string} id @param {any} place */
export function history(id, place) {
  if (!can(place, 'pooltrust.get_log'))
    return [h.h2('History'), h.p('This pool keeps no trust log; see its alerts and tasks.')]
  const { value, fault } = answer(
    id,
    'history',
    () => get(`/api/history?id=${encodeURIComponent(id)}`),
    60000,
  )
  if (fault) return [h.h2('History'), banner(fault, 'bad')]
  if (!value) return [h.h2('History'), h.p({ class: 'busy' }, 'Reading and checking the trust log…')]
  return [
    h.h2('History'),
    verdictShown(value.verdict),
    ...table(
      `history ${id}`,
      'History of trust',
      COLUMNS,
      [...value.entries].reverse(),
      more(place, value.names),
    ),
  ]
}

/** @param {any} verdict */
function verdictShown(verdict) {
  if (!verdict.holds)
    return banner(`The log does NOT hold from entry ${verdict.at} on: ${verdict.words}`, 'bad')
  return banner(
    verdict.from_founding
      ? `All ${verdict.entries} entries hold: every hash, signature and rule was checked here, from the founding of the pool on.`
      : `${verdict.entries} entries, from a checkpoint on; what came before was not told, so only their form was checked.`,
    verdict.from_founding ? 'good' : '',
  )
}

/** @type {import('../../parts/table.js').Column[]} */
const COLUMNS = [
  { key: 'number', label: 'No.', value: row => Number(row.number) },
  { key: 'at', label: 'When', value: row => row.at, show: row => moment(row.at) },
  { key: 'words', label: 'What', value: row => row.words, show: row => name(row.words, 400), grow: true },
  {
    key: 'by',
    label: 'By whom, and by which call',
    value: row => `${row.by} ${row.call}`,
    show: row => [name(row.by, 60), h.div({ class: 'faint' }, h.code(name(row.call, 60)))],
  },
  {
    key: 'holds',
    label: 'Checked',
    value: row => (row.holds ? 'holds' : 'does not hold'),
    show: row => chip(row.holds ? { words: 'holds', tone: 'good' } : { words: 'does not hold', tone: 'bad' }),
  },
]

/** What each kind of entry is about, for who looks for one sort. @type {Record<string, string>} */
const SORTS = {
  founded: 'Members',
  'host-admitted': 'Members',
  'host-dismissed': 'Members',
  'certificate-accepted': 'Identities',
  'certificate-withdrawn': 'Identities',
  'server-identity-changed': 'Identities',
  'anchor-installed': 'Trusted certificates',
  'anchor-removed': 'Trusted certificates',
  'verification-required': 'Verification',
  'coordinator-changed': 'Coordinator',
  'taken-over': 'Coordinator',
  'takeover-endorsed': 'Coordinator',
}
const sortOf = row => SORTS[row.kind] ?? 'Other'

const DAY = 86400000
/** @type {Record<string, number>} */
const AGES = { 'last 24 hours': 1, 'last 7 days': 7, 'last 30 days': 30, 'last year': 366 }
/** @param {any} row @param {string} age */
const isOf = (row, age) => Date.now() - (date(row.at)?.getTime() ?? 0) < AGES[age] * DAY

/** @param {any} place @param {Record<string, string>} names @returns {import('../../parts/table.js').More} */
const more = (place, names) => ({
  row: row => ({ 'data-key': row.number }),
  choices: [
    { key: 'sort', label: 'About', value: sortOf },
    { key: 'host', label: 'Host', value: row => hostOf(place, names, row) },
    { key: 'by', label: 'By', value: row => row.by },
    { key: 'age', label: 'When', values: Object.keys(AGES), matches: isOf, all: 'any time' },
  ],
  details: row =>
    h.dl(
      { class: 'entries' },
      [
        ['Sort of entry', h.code(row.kind)],
        ['Hash', h.code(row.hash)],
        ['Host', row.host ? h.span({ class: 'mono' }, row.host) : null],
      ]
        .filter(([, value]) => value)
        .map(([label, value]) => h.div(h.dt(label), h.dd(value))),
    ),
})

/** @param {any} place @param {Record<string, string>} names @param {any} row */
const hostOf = (place, names, row) =>
  row.host
    ? ([...place.objects.host.values()].find(one => one.uuid === row.host)?.name_label ??
      names[row.host] ??
      row.host)
    : ''
