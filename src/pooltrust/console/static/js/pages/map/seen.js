// What hosts tell of their TLS conversations, brought together: per pair of members, and per kind of
// endpoint and host.  Who is asked, how often, and what an outcome looks like.
import { call } from '../../core/api.js'
import { answer, outdated } from '../../core/asked.js'
import { can, hosts } from '../../core/facts.js'

/**
 * One row of `pooltrust.get_observed`; `from` and `to` are references of hosts where they are members.
 * @typedef {Record<string, string>} Seen
 * @typedef {{words: string, tone: string, kind: string, sign: string}} State
 * @typedef {{ref: string, host: any, fault?: string, waiting: boolean}} Asked
 * @typedef {{id: string, place: any, asked: Asked[], pairs: Map<string, Seen[]>, others: Seen[], kinds: Seen[], telling: boolean}} Gathered
 */

const MINUTE = 60000
const FEW = 8

/** @type {Record<string, State>} */
const STATES = {
  verified: { words: 'verified', tone: 'good', kind: 'verified', sign: '●' },
  'let in': { words: 'let in', tone: 'good', kind: 'good', sign: '◆' },
  'not verified': { words: 'not verified', tone: 'warn', kind: 'off', sign: '▲' },
  refused: { words: 'refused', tone: 'bad', kind: 'refused', sign: '■' },
  'no connection': { words: 'no connection', tone: 'warn', kind: 'away', sign: '✕' },
}
/** @type {State} */
export const UNSEEN = { words: 'not observed yet', tone: 'none', kind: 'stranger', sign: '·' }
/** @type {State} */
export const UNASKED = { words: 'not asked', tone: 'warn', kind: 'stranger', sign: '?' }

// Whom nobody has to verify there: they prove themselves later, or are told nothing.
const CALLERS = new Set([
  'third-party API client',
  'command line',
  'console',
  'Workload Balancing, calling in',
  'Workload Balancing, first look',
  'joiner, first look',
  'returning member',
])

/** How one conversation ended. @param {Seen} one @returns {State} */
export function stateOf(one) {
  const state = STATES[one.outcome] ?? { ...UNSEEN, words: one.outcome || UNSEEN.words }
  const harmless =
    (one.outcome === 'not verified' && CALLERS.has(one.kind)) ||
    (one.outcome === 'no connection' && one.way === 'answered')
  return harmless
    ? { ...state, tone: 'none', sign: one.outcome === 'not verified' ? '○' : state.sign }
    : state
}

/** @param {any} place */
export const tells = place => can(place, 'pooltrust.get_observed')
/** @param {any} place */
export const probes = place => can(place, 'pooltrust.probe_members')

/** Everything that the hosts of a pool have told. @param {string} id @param {any} place @returns {Gathered} */
export function gather(id, place) {
  const telling = tells(place)
  const all = hosts(place)
  const seen = []
  const asked = all.map(([ref, host]) => {
    const probe = probes(place) ? probed(id, ref, all.length) : null
    const one = telling ? observed(id, ref, all.length) : probe
    const rows = telling ? (one?.value ?? []) : (one?.value ?? []).map(asObserved)
    for (const row of rows) seen.push(ended(ref, row))
    return { ref, host, fault: one?.fault, waiting: Boolean(one && !one.value && !one.fault) }
  })
  const kinds = can(place, 'pooltrust.get_endpoints') ? endpoints(id) : []
  return { id, place, asked, telling, kinds, ...sorted(seen) }
}

/** Which rows are between two members, and which are not. @param {Seen[]} seen */
function sorted(seen) {
  /** @type {Map<string, Seen[]>} */
  const pairs = new Map()
  const others = []
  for (const one of seen) {
    if (one.kind !== 'member' || !one.host) {
      others.push(one)
      continue
    }
    const key = `${one.from} ${one.to}`
    pairs.set(key, [...(pairs.get(key) ?? []), one])
  }
  for (const rows of pairs.values()) rows.sort(newestFirst)
  return { pairs, others: folded(others).sort(newestFirst) }
}

/** Of an address where somebody has logged in, the connections without a login say nothing more. @param {Seen[]} rows */
function folded(rows) {
  const inside = new Set(
    rows.filter(one => one.outcome === 'let in').map(one => `${one.at_host} ${one.peer}`),
  )
  return rows.filter(
    one =>
      one.kind !== 'third-party API client' ||
      one.outcome !== 'not verified' ||
      !inside.has(`${one.at_host} ${one.peer}`),
  )
}

/** Its two ends, from whoever dialled to whoever answered. @param {string} at @param {Seen} row @returns {Seen} */
function ended(at, row) {
  const other = row.host || row.peer
  return row.way === 'dialled'
    ? { ...row, at_host: at, from: at, to: other }
    : { ...row, at_host: at, from: other, to: at }
}

/** What came of a probe, from a release that tells nothing else. @param {Seen} one @returns {Seen} */
function asObserved(one) {
  const off = one.met && one.reason?.startsWith('verification is off')
  const outcome =
    one.verified === 'true' ? 'verified' : off ? 'not verified' : one.met ? 'refused' : 'no connection'
  return { ...one, kind: 'member', way: 'dialled', outcome, peer: one.uuid, first: one.at, count: '1' }
}

/** The newest first; of one second, what is worse. @param {Seen} a @param {Seen} b */
function newestFirst(a, b) {
  const [left, right] = [a.at ?? '', b.at ?? '']
  return left === right ? rank(stateOf(a)) - rank(stateOf(b)) : left < right ? 1 : -1
}

/** @param {State} state */
export const rank = state => ['bad', 'warn', 'good', 'none'].indexOf(state.tone)

/** How it is between two hosts: by the word of the one that connected, if it can be asked. @param {Gathered} seen @param {Asked} from @param {Asked} to */
export function pairState(seen, from, to) {
  if (from.fault) return UNASKED
  const found = seen.pairs.get(`${from.ref} ${to.ref}`) ?? []
  const last = found.find(one => one.way === 'dialled') ?? found[0]
  return last ? stateOf(last) : UNSEEN
}

/** The rows that count for how things are now: of each other side and way, the newest. @param {Seen[]} rows */
export function latest(rows) {
  const first = new Map()
  for (const one of rows) {
    const key = `${one.kind} ${one.way} ${one.peer} ${one.outcome === 'let in' ? one.says : ''}`
    if (!first.has(key)) first.set(key, one)
  }
  return [...first.values()]
}

/** @param {string} id */
const endpoints = id =>
  answer(id, 'endpoints', () => call(id, 'pooltrust.get_endpoints'), 60 * MINUTE, true).value ?? []

/** Gently: a big pool is asked less often. @param {string} id @param {string} ref @param {number} many */
const observed = (id, ref, many) =>
  answer(
    id,
    `observed ${ref}`,
    () => call(id, 'pooltrust.get_observed', ref),
    Math.max(5000, 300 * many),
    true,
  )

/** Have a host meet everybody, so that there is something to tell. @param {string} id @param {string} ref @param {number} many */
const probed = (id, ref, many) =>
  answer(
    id,
    `probed ${ref}`,
    async () => {
      const met = await call(id, 'pooltrust.probe_members', ref)
      outdated(id, `observed ${ref}`)
      return met
    },
    many > FEW ? 30 * MINUTE : MINUTE,
    true,
  )

/** Have every host meet everybody again, now. @param {string} id */
export const probeAgain = id => outdated(id, 'probed ')

/** Who claims to be a member, and has not proved it. */
export const STRANGER = 'no member, by the pool’s name'

/** What a kind of endpoint is called. @param {Seen} one */
export const kindOf = one => (one.kind === 'member' && !one.host ? STRANGER : one.kind)
