// What follows from a pool's records: its name, who coordinates, verification, what can be done.
// Works for any pool that speaks the published API; what only ours has is asked for by `can`.
import { daysLeft, tone } from './words.js'

export const TYPES = {
  host: 'Server identity certificate',
  host_internal: 'Pool-internal identity certificate',
  ca: 'Trusted CA certificate',
  pinned: 'Pinned certificate',
}

/** @param {any} place */
export const poolOf = place => [...place.objects.pool.values()][0]
/** @param {any} place */
export const poolRef = place => [...place.objects.pool.keys()][0]
/** @param {any} place */
export const hosts = place =>
  [...place.objects.host.entries()].sort((a, b) =>
    a[1].name_label.localeCompare(b[1].name_label, 'en', { numeric: true }),
  )

/** @param {any} place */
export function poolName(place) {
  const pool = poolOf(place)
  if (!pool) return `${place.state.address}:${place.state.port}`
  return pool.name_label || place.objects.host.get(pool.master)?.name_label || place.state.address
}

/** @param {any} place @param {string} ref */
export const isCoordinator = (place, ref) => poolOf(place)?.master === ref

/** @param {any} place @param {string} ref */
export function certificatesOf(place, ref) {
  const order = ['host', 'host_internal']
  return [...place.objects.certificate.entries()]
    .filter(([, one]) => one.host === ref)
    .sort((a, b) => order.indexOf(a[1].type) - order.indexOf(b[1].type))
}

/** @param {any} place */
export const anchorsOf = place =>
  [...place.objects.certificate.entries()].filter(([, one]) => !TYPES[one.type]?.includes('identity'))

/** @param {any} one */
export const thumbprint = one => one.fingerprint_sha256 || one.fingerprint || ''

/** Whether the host at the other end has this call. @param {any} place @param {string} method */
export const can = (place, method) => place.state.methods.includes(method)

/** Whether this user may make it, as far as it was told. @param {any} place @param {string} method */
export const may = (place, method) =>
  place.state.superuser || place.state.permissions.includes(method.toLowerCase())

/** Verification in the specification's words. @param {any} place @param {string|null} ref a host, or null for the pool */
export function verification(place, ref) {
  const pool = poolOf(place)
  if (!pool || pool.tls_verification_enabled === undefined) return null
  const on = pool.tls_verification_enabled
  const off = hosts(place)
    .filter(([, host]) => host.tls_verification_enabled === false)
    .map(([, host]) => host.name_label)
  if (!on) return { words: 'Disabled', tone: 'bad', off: [] }
  if (ref) {
    const own = place.objects.host.get(ref)?.tls_verification_enabled
    return own === false
      ? { words: 'Disabled, but enabled on the pool', tone: 'bad', off: [] }
      : { words: 'Enabled', tone: 'good', off: [] }
  }
  return off.length
    ? { words: 'Enabled on the pool, but disabled on:', tone: 'bad', off }
    : { words: 'Enabled', tone: 'good', off: [] }
}

/** The state of a host in a word, by colour and text. @param {any} place @param {string} ref */
export function hostState(place, ref) {
  const host = place.objects.host.get(ref)
  if (!host) return { words: 'gone', tone: 'bad' }
  const metrics = place.objects.host_metrics.get(host.metrics)
  if (metrics && !metrics.live) return { words: 'not heard', tone: 'bad' }
  const verified = verification(place, ref)
  if (verified && verified.words !== 'Enabled')
    return {
      words: poolOf(place).tls_verification_enabled ? 'verification off here' : 'not verified',
      tone: 'bad',
    }
  const days = Math.min(...certificatesOf(place, ref).map(([, one]) => daysLeft(one.not_after)))
  if (days < 30) return { words: days < 0 ? 'certificate expired' : `${days} d left`, tone: tone(days) }
  return host.enabled === false ? { words: 'disabled', tone: 'warn' } : { words: 'verified', tone: 'good' }
}

const STANDINGS = {
  connecting: ['connecting', 'warn'],
  stranger: ['first meeting', 'warn'],
  changed: ['certificate changed', 'bad'],
  waiting: ['reconnecting', 'warn'],
  refused: ['refused', 'bad'],
  failed: ['login failed', 'bad'],
}

/** @param {any} place */
export function poolState(place) {
  const { standing } = place.state
  if (standing !== 'connected') return { words: STANDINGS[standing][0], tone: STANDINGS[standing][1] }
  const worst = hosts(place)
    .map(([ref]) => hostState(place, ref))
    .sort((a, b) => rank(a) - rank(b))[0]
  const verified = verification(place, null)
  if (verified && verified.tone === 'bad')
    return { words: verified.off.length ? 'partly verified' : 'not verified', tone: 'bad' }
  return worst && worst.tone !== 'good' ? worst : { words: 'verified', tone: 'good' }
}

const rank = state => ['bad', 'warn', 'good'].indexOf(state.tone)
