// Alerts of every pool as rows: how bad, about what, since when, and in words.  What a person put
// aside is known here, too; it hides nothing from the pages that show the state itself.
import { answerOf } from './asked.js'
import { can, hosts, poolName, poolOf } from './facts.js'
import { places, wishes } from './store.js'
import { date, validityState } from './words.js'

/** @type {Record<number, [string, string]>} */
export const SEVERITIES = {
  1: ['critical', 'bad'],
  2: ['major', 'bad'],
  3: ['warning', 'warn'],
  4: ['minor', 'note'],
  5: ['information', 'good'],
}

/** What an alert is about, by the beginning of its name. @type {[RegExp, string][]} */
const KINDS = [
  [/^HOST_SERVER_CERTIFICATE/, 'Server identity'],
  [/^HOST_INTERNAL_CERTIFICATE/, 'Pool-internal identity'],
  [/^POOL_(CA|PINNED)_CERTIFICATE/, 'Trusted certificates'],
  [/TLS_VERIFICATION/, 'Verification'],
  [/^(TRUST_LOG|HOST_RESTORED)/, 'Trust log'],
  [/^(EJECTED|HOST_NEVER)/, 'Members'],
  [/LOGIN/, 'Logins'],
]

/** @type {Record<string, string>} */
const ENDING = {
  HOST_SERVER_CERTIFICATE: 'The server identity certificate',
  HOST_INTERNAL_CERTIFICATE: 'The pool-internal identity certificate',
  POOL_CA_CERTIFICATE: 'The trusted CA certificate',
  POOL_PINNED_CERTIFICATE: 'The pinned certificate',
}

/** @type {Record<string, (object: string) => string>} */
const WORDS = {
  TLS_VERIFICATION_EMERGENCY_DISABLED: host =>
    `${host || 'A host'} does not verify whom it connects to: its emergency switch is on.`,
  POOL_TLS_VERIFICATION_DISABLED: () =>
    'Certificate verification is off: the hosts of this pool do not verify one another.',
}

/** Every alert of every pool, the worst first, of those the newest. */
export function alerts() {
  return [...places]
    .flatMap(([id, place]) => (STANDS.has(place.state.standing) ? alertsOf(id, place) : []))
    .sort((a, b) => a.priority - b.priority || b.at.localeCompare(a.at))
}

/** While a pool is connected again, what it told last is still what is known. */
const STANDS = new Set(['connected', 'waiting'])

/** @param {string} id @param {any} place */
function alertsOf(id, place) {
  if (!place.objects.message.size) return []
  const told = can(place, 'pooltrust.get_alerts') ? answerOf(id, 'pooltrust.get_alerts').value : null
  const more = new Map((Array.isArray(told) ? told : []).map(one => [one?.uuid, one]))
  return [...place.objects.message.entries()].map(([ref, one]) =>
    rowOf(id, place, ref, one, more.get(one.uuid)),
  )
}

/** @param {string} id @param {any} place @param {string} ref @param {any} one @param {any} ours */
function rowOf(id, place, ref, one, ours) {
  const host = hosts(place).find(([, it]) => it.uuid === one.obj_uuid)
  const object = objectOf(place, one, host)
  return {
    id,
    ref,
    uuid: one.uuid,
    name: one.name,
    kind: KINDS.find(([begins]) => begins.test(one.name))?.[1] ?? 'Other',
    priority: Number(one.priority),
    severity: SEVERITIES[one.priority]?.[0] ?? 'unknown',
    at: one.timestamp,
    until: ours?.date || /<date>(.*?)<\/date>/.exec(one.body ?? '')?.[1] || '',
    pool: poolName(place),
    about: one.obj_uuid,
    host: host?.[0],
    object,
    words: wordsOf(one, ours, object),
  }
}

/** @param {any} place @param {any} one @param {any} host */
function objectOf(place, one, host) {
  if (host) return host[1].name_label
  const certificate = [...place.objects.certificate.values()].find(it => it.uuid === one.obj_uuid)
  return certificate?.name || (one.obj_uuid === poolOf(place)?.uuid ? 'the pool' : '')
}

/** @param {any} one @param {any} ours @param {string} object */
function wordsOf(one, ours, object) {
  const [, family, end] = /^(\w+_CERTIFICATE)_(EXPIR\w+)$/.exec(one.name) ?? []
  if (ENDING[family])
    return `${ENDING[family]}${object ? ` of ${object}` : ''} ${end === 'EXPIRED' ? 'has expired' : 'ends soon'}.`
  const known = WORDS[one.name]?.(object)
  if (known) return known
  if (ours?.words) return ours.words
  const body = (one.body ?? '').replace(/<[^>]*>/g, ' ').slice(0, 300)
  return `${one.name.replaceAll('_', ' ').toLowerCase()} ${body}`
}

/** The time that is left now, whatever it was when the alert was raised; null if it is not about an end. @param {any} row */
export const endOf = row =>
  row.kind !== 'Logins' && /_EXPIR/.test(row.name) && date(row.until) ? validityState('', row.until) : null

/** @param {any} row */
export const isPut = row =>
  row.uuid in wishes.acknowledged || (wishes.snoozed[row.uuid] ?? '') > new Date().toISOString()

/** The count and the worst severity, for the bar. */
export function standing() {
  const open = alerts().filter(row => !isPut(row))
  if (!open.length) return { number: 0, words: 'none', tone: 'good' }
  const [words, tone] = SEVERITIES[open[0].priority] ?? ['unknown', 'warn']
  return { number: open.length, words: `${open.length}, ${words}`, tone }
}
