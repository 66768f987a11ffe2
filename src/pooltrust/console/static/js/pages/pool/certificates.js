// Every certificate of a pool in one table, and the same as CSV, JSON and PEM.
import { call } from '../../core/api.js'
import { h, name } from '../../core/dom.js'
import { thumbprint, TYPES } from '../../core/facts.js'
import { date, daysLeft, when } from '../../core/words.js'
import { button } from '../../parts/dialog.js'
import { daysBar, thumb } from '../../parts/pieces.js'
import { save, say } from '../../parts/said.js'
import { shownRows, table } from '../../parts/table.js'

/** @param {string} id @param {any} place @param {any} report */
export function certificates(id, place, report) {
  const rows = rowsOf(place, report)
  const key = `certificates ${id}`
  return [
    h.h2('All certificates'),
    ...table(key, 'All certificates', COLUMNS, rows, { row: row => ({ 'data-key': row.ref }) }),
    h.div(
      { class: 'actions' },
      button('Save as CSV', () => save('certificates.csv', csv(shownRows(key, COLUMNS, rows)), 'text/csv')),
      button('Save as JSON', () =>
        save(
          'certificates.json',
          JSON.stringify(shownRows(key, COLUMNS, rows).map(plain), null, 2),
          'application/json',
        ),
      ),
      button('Save server certificates as PEM', () => pem(id, place).catch(why => say(why.message))),
    ),
  ]
}

/** @type {import('../../parts/table.js').Column[]} */
const COLUMNS = [
  { key: 'host', label: 'Host', value: row => row.host, show: row => name(row.host, 80) },
  { key: 'type', label: 'Type', value: row => row.type },
  {
    key: 'subject',
    label: 'Subject',
    value: row => row.subject,
    show: row => h.span({ title: row.subject.slice(0, 500) }, name(commonName(row.subject), 60)),
  },
  { key: 'days', label: 'Days left', value: row => row.days, show: row => daysBar(row.from, row.until) },
  {
    key: 'until',
    label: 'Valid to',
    value: row => date(row.until)?.toISOString() ?? '',
    show: row => when(row.until),
  },
  { key: 'key', label: 'Key', value: row => row.key },
  {
    key: 'issuer',
    label: 'Issuer',
    value: row => row.issuer,
    show: row => h.span({ title: row.issuer.slice(0, 500) }, name(commonName(row.issuer), 60)),
  },
  {
    key: 'thumbprint',
    label: 'Thumbprint (SHA-256)',
    value: row => row.thumbprint,
    show: row => thumb(row.thumbprint),
  },
]

/** What people call it; the whole is in its title and in what is saved. @param {string} subject */
const commonName = subject => /(?:^|[,+])CN=((?:\\.|[^,+])+)/.exec(subject)?.[1] ?? subject

/** @param {any} place @param {any} report */
export function rowsOf(place, report) {
  const told = new Map((report?.certificates ?? []).map(one => [`${one.type} ${one.sha256}`, one]))
  return [...place.objects.certificate.entries()]
    .map(([ref, one]) => {
      const more = told.get(`${one.type} ${thumbprint(one)}`) ?? {}
      return {
        ref,
        host: place.objects.host.get(one.host)?.name_label ?? '(the pool)',
        type: TYPES[one.type] ?? one.type,
        subject: more.subject ?? one.name ?? '',
        issuer: more.self_signed ? 'itself' : (more.issuer ?? ''),
        key: more.key ?? '',
        names: [...(more.names ?? []), ...(more.addresses ?? [])].join(' '),
        from: one.not_before,
        until: one.not_after,
        days: daysLeft(one.not_after),
        thumbprint: thumbprint(one),
      }
    })
    .sort((a, b) => a.host.localeCompare(b.host, 'en', { numeric: true }) || b.type.localeCompare(a.type))
}

const plain = row => ({
  host: row.host,
  type: row.type,
  subject: row.subject,
  issuer: row.issuer,
  names: row.names,
  key: row.key,
  not_before: date(row.from)?.toISOString(),
  not_after: date(row.until)?.toISOString(),
  days_left: row.days,
  sha256: row.thumbprint,
})

/** Comma-separated; what a spreadsheet could take for a formula is quoted as text. @param {any[]} rows */
export function csv(rows) {
  const cell = value => {
    const text = String(value ?? '')
    return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  }
  const fields = [
    'host',
    'type',
    'subject',
    'issuer',
    'names',
    'key',
    'not_before',
    'not_after',
    'days_left',
    'sha256',
  ]
  return (
    [fields.join(','), ...rows.map(row => fields.map(field => cell(plain(row)[field])).join(','))].join(
      '\r\n',
    ) + '\r\n'
  )
}

/** @param {string} id @param {any} place */
async function pem(id, place) {
  const texts = []
  for (const ref of place.objects.host.keys()) texts.push(await call(id, 'host.get_server_certificate', ref))
  save('server-certificates.pem', texts.join(''), 'application/x-pem-file')
}
