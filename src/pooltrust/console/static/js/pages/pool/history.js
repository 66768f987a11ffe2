// The trust log in words, each entry checked on this machine before it is shown as holding.
import { get } from '../../core/api.js'
import { answer } from '../../core/asked.js'
import { h, name } from '../../core/dom.js'
import { can } from '../../core/facts.js'
import { when } from '../../core/words.js'
import { banner, chip } from '../../parts/pieces.js'
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
    ...table(`history ${id}`, 'History of trust', COLUMNS, [...value.entries].reverse(), {
      row: row => ({ 'data-key': row.number }),
    }),
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
  { key: 'at', label: 'When', value: row => row.at, show: row => when(row.at) },
  { key: 'words', label: 'What', value: row => row.words, show: row => name(row.words, 400) },
  { key: 'by', label: 'By', value: row => row.by, show: row => name(row.by, 60) },
  { key: 'call', label: 'Call', value: row => row.call, show: row => h.code(name(row.call, 60)) },
  {
    key: 'holds',
    label: 'Checked',
    value: row => (row.holds ? 'holds' : 'does not hold'),
    show: row => chip(row.holds ? { words: 'holds', tone: 'good' } : { words: 'does not hold', tone: 'bad' }),
  },
]
