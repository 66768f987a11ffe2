// Every certificate of a pool in one table, and the same as files.
import { calendar, csv, plain } from '../../actions/exports.js'
import { call } from '../../core/api.js'
import { h, name } from '../../core/dom.js'
import { order, poolName, thumbprint, TYPES } from '../../core/facts.js'
import { date, validityState, when } from '../../core/words.js'
import { button } from '../../parts/dialog.js'
import { chip, daysBar, moment, shortThumb, thumb } from '../../parts/pieces.js'
import { save, say } from '../../parts/said.js'
import { shownRows, table } from '../../parts/table.js'

/** @param {string} id @param {any} place @param {any} report */
export function certificates(id, place, report) {
  const rows = rowsOf(place, report)
  const key = `certificates ${id}`
  const shown = () => shownRows(key, COLUMNS, rows, MORE)
  const json = () => JSON.stringify(shown().map(plain), null, 2)
  const ends = () => calendar(shown(), poolName(place).slice(0, 80))
  return [
    h.h2('All certificates'),
    summary(rows),
    ...table(key, 'All certificates', COLUMNS, rows, MORE),
    h.div(
      { class: 'actions' },
      h.span({ class: 'faint' }, 'Save what is shown as'),
      button('CSV', () => save('certificates.csv', csv(shown()), 'text/csv'), {
        'aria-label': 'Save as CSV',
      }),
      button('JSON', () => save('certificates.json', json(), 'application/json'), {
        'aria-label': 'Save as JSON',
      }),
      button('Calendar (iCal)', () => save('certificates.ics', ends(), 'text/calendar'), {
        'aria-label': 'Save the ends as a calendar (iCal)',
      }),
      button('Server certificates as PEM', () => pem(id, place).catch(why => say(why.message)), {
        'aria-label': 'Save server certificates as PEM',
      }),
    ),
  ]
}

const STATES = {
  expired: 'expired',
  early: 'not yet valid',
  soon7: 'less than 7 days left',
  soon14: 'less than 14 days left',
  soon30: 'less than 30 days left',
  warn: 'no date',
  good: 'valid',
}
const stateWords = row => STATES[row.state.kind]
const shortType = row => row.type.replace(/ certificate$/, '')

/** How many are in which state, the worst first. @param {any[]} rows */
function summary(rows) {
  const counts = Object.keys(STATES)
    .map(kind => rows.filter(row => row.state.kind === kind))
    .filter(found => found.length)
  return h.p(
    { class: 'chips' },
    counts.map(found => chip({ ...found[0].state, words: `${found.length} ${stateWords(found[0])}` })),
  )
}

/** @type {import('../../parts/table.js').Column[]} */
const COLUMNS = [
  { key: 'host', label: 'Host', value: row => row.host, show: row => name(row.host, 40) },
  {
    key: 'type',
    label: 'Type',
    value: row => row.type,
    show: row => h.span({ class: 'keep' }, shortType(row)),
  },
  {
    key: 'days',
    label: 'Days left',
    value: row => row.ends,
    show: row => daysBar(row.from, row.until),
  },
  {
    key: 'until',
    label: 'Valid to',
    value: row => date(row.until)?.toISOString() ?? '',
    show: row => h.time({ title: when(row.until) }, when(row.until).slice(0, 10)),
  },
  { key: 'key', label: 'Key', value: row => row.key, show: row => h.span({ class: 'keep' }, row.key || '–') },
  {
    key: 'issuer',
    label: 'Issuer',
    value: row => row.issuer,
    show: row => h.span({ title: row.issuer.slice(0, 500) }, name(commonName(row.issuer) || '–', 24)),
  },
  {
    key: 'thumbprint',
    label: 'Thumbprint (SHA-256)',
    value: row => row.thumbprint,
    show: row => shortThumb(row.thumbprint),
  },
]

/** @type {import('../../parts/table.js').More} */
const MORE = {
  sort: 'days',
  choices: [
    { key: 'type', label: 'Type', value: shortType },
    { key: 'state', label: 'State', value: stateWords, order: Object.values(STATES) },
  ],
  row: row => ({ 'data-key': row.ref }),
  version: row => [row.host, row.state.words, row.until, row.key, row.issuer, row.thumbprint].join('|'),
  search: row => `${row.subject} ${row.names} ${row.thumbprint.replaceAll(':', '')}`,
  details,
}

/** @param {any} row */
function details(row) {
  const facts = [
    ['Subject', name(row.subject || 'not told', 500)],
    ['Issuer', name(row.issuer || 'not told', 500)],
    ['Names', row.names ? name(row.names, 500) : null],
    ['Valid from', moment(row.from)],
    ['Valid to', moment(row.until)],
    ['Key', row.key || 'not told'],
    ['Thumbprint (SHA-256)', thumb(row.thumbprint)],
  ]
  return h.dl(
    { class: 'entries' },
    facts.filter(([, value]) => value).map(([label, value]) => h.div(h.dt(label), h.dd(value))),
  )
}

/** What people call it; the whole is in its title and in what is saved. @param {string} subject */
const commonName = subject => /(?:^|[,+])CN=((?:\\.|[^,+])+)/.exec(subject)?.[1] ?? subject

/** @param {any} place @param {any} report */
export function rowsOf(place, report) {
  const told = new Map((report?.certificates ?? []).map(one => [`${one.type} ${one.sha256}`, one]))
  return [...place.objects.certificate.entries()]
    .map(([ref, one]) => rowOf(place, ref, one, told.get(`${one.type} ${thumbprint(one)}`) ?? {}))
    .sort((a, b) => order.compare(a.host, b.host) || b.type.localeCompare(a.type))
}

/** @param {any} place @param {string} ref @param {any} one @param {any} more what only our own hosts tell */
function rowOf(place, ref, one, more) {
  const state = validityState(one.not_before, one.not_after)
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
    days: state.days,
    ends: date(one.not_after)?.getTime() ?? 0,
    state,
    thumbprint: thumbprint(one),
  }
}

/** @param {string} id @param {any} place */
async function pem(id, place) {
  const texts = []
  for (const ref of place.objects.host.keys()) texts.push(await call(id, 'host.get_server_certificate', ref))
  save('server-certificates.pem', texts.join(''), 'application/x-pem-file')
}
