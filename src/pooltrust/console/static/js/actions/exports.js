// Certificates as files: a spreadsheet, data, and a calendar of their ends.
import { date } from '../core/words.js'

const FIELDS = [
  'host',
  'type',
  'subject',
  'issuer',
  'names',
  'key',
  'not_before',
  'not_after',
  'days_left',
  'state',
  'sha256',
]

/** @param {any} row @returns {Record<string, any>} */
export const plain = row => ({
  host: row.host,
  type: row.type,
  subject: row.subject,
  issuer: row.issuer,
  names: row.names,
  key: row.key,
  not_before: date(row.from)?.toISOString(),
  not_after: date(row.until)?.toISOString(),
  days_left: row.days,
  state: row.state.words,
  sha256: row.thumbprint,
})

/** Comma-separated; what a spreadsheet could take for a formula is quoted as text. @param {any[]} rows */
export function csv(rows) {
  const cell = value => {
    const text = String(value ?? '')
    return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  }
  const line = row => FIELDS.map(field => cell(plain(row)[field])).join(',')
  return [FIELDS.join(','), ...rows.map(line), ''].join('\r\n')
}

/**
 * An iCalendar (RFC 5545): a day for each end, with a reminder a month and a week before.
 * @param {any[]} rows @param {string} pool @param {Date} [now]
 */
export function calendar(rows, pool, now = new Date()) {
  const events = rows.filter(row => date(row.until)).flatMap(row => event(row, pool, now))
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//pooltrust//console//EN',
    ...events,
    'END:VCALENDAR',
    '',
  ]
    .flatMap(folded)
    .join('\r\n')
}

/** @param {any} row @param {string} pool @param {Date} now */
function event(row, pool, now) {
  const until = /** @type {Date} */ (date(row.until))
  return [
    'BEGIN:VEVENT',
    `UID:${row.thumbprint.replaceAll(':', '')}-${stamp(until)}@pooltrust`,
    `DTSTAMP:${stamp(now)}`,
    `DTSTART:${stamp(until)}`,
    `SUMMARY:${escaped(`${row.host} (${pool}): ${row.type} ends`)}`,
    `DESCRIPTION:${escaped(`SHA-256 ${row.thumbprint}\n${row.subject}`)}`,
    'TRANSP:TRANSPARENT',
    ...alarm(30),
    ...alarm(7),
    'END:VEVENT',
  ]
}

/** @param {number} days */
const alarm = days => [
  'BEGIN:VALARM',
  'ACTION:DISPLAY',
  `DESCRIPTION:${days} days left`,
  `TRIGGER:-P${days}D`,
  'END:VALARM',
]

/** @param {Date} at */
const stamp = at => at.toISOString().replace(/[-:]|\.\d+/g, '')

/** @param {string} text */
const escaped = text => text.replace(/[\\;,]/g, '\\$&').replace(/\r?\n|\r/g, '\\n')

/** A line is at most 75 octets long; what is more goes on in the next one, after a space. @param {string} line */
function folded(line) {
  const encoder = new TextEncoder()
  const lines = ['']
  let room = 75
  for (const letter of line) {
    const much = encoder.encode(letter).length
    if (much > room) {
      lines.push(' ')
      room = 74
    }
    lines[lines.length - 1] += letter
    room -= much
  }
  return lines
}
