// What follows from a pool's records: its name, who coordinates, verification, what can be done.
// Works for any pool that speaks the published API; what only ours has is asked for by `can`.
import { validityState } from './words.js'

export const TYPES = {
  host: 'Server identity certificate',
  host_internal: 'Pool-internal identity certificate',
  ca: 'Trusted CA certificate',
  pinned: 'Pinned certificate',
}

/** host-2 before host-10. */
export const order = new Intl.Collator('en', { numeric: true })

/** @param {any} place */
export const poolOf = place => [...place.objects.pool.values()][0]
/** @param {any} place */
export const poolRef = place => [...place.objects.pool.keys()][0]
/** @param {any} place */
export const hosts = place =>
  [...place.objects.host.entries()].sort((a, b) => order.compare(a[1].name_label, b[1].name_label))

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

/**
 * Why this user can't make a call here, as far as it was told; undefined if nothing speaks against it.
 * @param {any} place @param {string} method
 */
export function whyNot(place, method) {
  if (!can(place, method)) return 'This release does not offer it.'
  if (!may(place, method)) return `The role of ${place.state.user} does not allow it.`
  return undefined
}

/** Verification in the specification's words. @param {any} place @param {string|null} ref a host, or null for the pool */
export function verification(place, ref) {
  const pool = poolOf(place)
  if (!pool || pool.tls_verification_enabled === undefined) return null
  const on = pool.tls_verification_enabled
  if (!on) return { words: 'Disabled', tone: 'bad', kind: 'off', off: [] }
  if (ref) {
    const own = place.objects.host.get(ref)?.tls_verification_enabled
    return own === false
      ? { words: 'Disabled, but enabled on the pool', tone: 'bad', kind: 'override', off: [] }
      : { words: 'Enabled', tone: 'good', kind: 'verified', off: [] }
  }
  const off = hosts(place)
    .filter(([, host]) => host.tls_verification_enabled === false)
    .map(([, host]) => host.name_label)
  return off.length
    ? { words: 'Enabled on the pool, but disabled on:', tone: 'bad', kind: 'override', off }
    : { words: 'Enabled', tone: 'good', kind: 'verified', off: [] }
}

/** What of these is worst, the rest of their order kept. @template {{tone: string}} T @param {T[]} states @returns {T} */
export const worstOf = states => [...states].sort((a, b) => rank(a) - rank(b))[0]

/** Of a host's certificates the one that needs somebody first. @param {any} place @param {string} ref */
export function validityOf(place, ref) {
  const states = certificatesOf(place, ref).map(([, one]) => validityState(one.not_before, one.not_after))
  return worstOf(states.sort((a, b) => a.days - b.days))
}

/** @param {any} place @param {string} ref */
export const isAway = (place, ref) =>
  place.objects.host_metrics.get(place.objects.host.get(ref)?.metrics)?.live === false

/** The state of a host in a word, by shape, colour and text. @param {any} place @param {string} ref */
export function hostState(place, ref) {
  const state = stateTold(place, ref)
  // While nobody tells us more, it is said as what it was.
  return place.state.standing === 'connected' ? state : { ...state, words: `was ${state.words}`, tone: 'old' }
}

/** @param {any} place @param {string} ref */
function stateTold(place, ref) {
  const host = place.objects.host.get(ref)
  if (!host) return { words: 'gone', tone: 'bad', kind: 'away' }
  if (isAway(place, ref)) return { words: 'not heard', tone: 'bad', kind: 'away' }
  const verified = verification(place, ref)
  if (verified && verified.words !== 'Enabled')
    return poolOf(place).tls_verification_enabled
      ? { words: 'verification off here', tone: 'bad', kind: 'override' }
      : { words: 'not verified', tone: 'bad', kind: 'off' }
  const ends = validityOf(place, ref)
  if (ends && ends.kind !== 'good') return { words: ends.short, tone: ends.tone, kind: ends.kind }
  if (host.enabled === false) return { words: 'disabled', tone: 'warn', kind: 'paused' }
  if (!verified) return { words: 'can’t verify: older release', tone: 'warn', kind: 'off' }
  return { words: 'verified', tone: 'good', kind: 'verified' }
}

/** @type {Record<string, [string, string, string]>} */
const STANDINGS = {
  connecting: ['connecting', 'note', 'busy'],
  stranger: ['first meeting', 'warn', 'stranger'],
  changed: ['certificate changed', 'bad', 'changed'],
  waiting: ['reconnecting', 'warn', 'busy'],
  refused: ['refused', 'bad', 'refused'],
  failed: ['login failed', 'bad', 'refused'],
}

/** @param {any} place */
const anchorStates = place =>
  anchorsOf(place)
    .map(([, one]) => validityState(one.not_before, one.not_after))
    .map(({ short, tone, kind }) => ({ words: `trusted certificate: ${short}`, tone, kind }))

/** @param {any} place */
export function poolState(place) {
  const { standing } = place.state
  if (standing !== 'connected') {
    const [words, tone, kind] = STANDINGS[standing] ?? [standing, 'warn', 'warn']
    return { words, tone, kind }
  }
  const verified = verification(place, null)
  if (verified && verified.tone === 'bad')
    return verified.off.length
      ? { words: 'partly verified', tone: 'bad', kind: 'override' }
      : { words: 'not verified', tone: 'bad', kind: 'off' }
  const worst = worstOf([...hosts(place).map(([ref]) => hostState(place, ref)), ...anchorStates(place)])
  if (!worst) return { words: 'no hosts told', tone: 'warn', kind: 'off' }
  return worst.tone !== 'good' ? worst : { words: 'verified', tone: 'good', kind: 'verified' }
}

const rank = state => ['bad', 'warn', 'note', 'good'].indexOf(state.tone)

/**
 * Whether a client that asks for this name accepts a certificate for these (RFC 6125): the same name, or
 * one that a leading * stands for.  An address of IPv6 has many spellings, and is left to the host.
 * @param {string[]} names @param {string} asked
 */
export function covers(names, asked) {
  const wanted = asked.toLowerCase().replace(/\.$/, '')
  if (wanted.includes(':')) return true
  return names
    .map(name => name.toLowerCase())
    .some(
      name =>
        name === wanted ||
        (name.startsWith('*.') && /[a-z]/.test(wanted) && wanted.replace(/^[^.]+/, '*') === name),
    )
}
