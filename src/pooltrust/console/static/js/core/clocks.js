// How far the hosts' clocks are from this machine's: asked seldom, because a clock goes wrong slowly.
import { call } from './api.js'
import { can, hosts, isAway } from './facts.js'
import { changed } from './store.js'
import { date } from './words.js'

/** @typedef {{ahead: number, give: number}} Clock milliseconds before ours, and how sure that is */

/** @type {Map<string, {at: number, asking: boolean, clocks: Map<string, Clock>}>} */
const kept = new Map()
const FRESH = 300000
const AT_ONCE = 4
/** A host tells whole seconds. */
const SECOND = 1000

/** The clock of each host that told it; null if this pool does not tell. @param {string} id @param {any} place */
export function clocksOf(id, place) {
  if (!can(place, 'host.get_servertime')) return null
  const one = kept.get(id) ?? { at: 0, asking: false, clocks: new Map() }
  kept.set(id, one)
  const connected = place.state.standing === 'connected'
  if (connected && !one.asking && Date.now() - one.at > FRESH) {
    one.asking = true
    const refs = hosts(place)
      .map(([ref]) => ref)
      .filter(ref => !isAway(place, ref))
    askAll(id, refs).then(clocks => {
      Object.assign(one, { at: Date.now(), asking: false, clocks })
      changed({ kind: 'answer' })
    })
  }
  return one.clocks
}

/** @param {string} id @param {string[]} refs */
async function askAll(id, refs) {
  /** @type {Map<string, Clock>} */
  const told = new Map()
  const left = [...refs]
  const some = async () => {
    for (let ref = left.shift(); ref; ref = left.shift()) {
      const clock = await ask(id, ref)
      if (clock) told.set(ref, clock)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, some))
  return told
}

/** @param {string} id @param {string} ref @returns {Promise<Clock|null>} */
async function ask(id, ref) {
  const began = Date.now()
  try {
    const read = date(String(await call(id, 'host.get_servertime', ref)))
    const took = Date.now() - began
    return read && between(read.getTime(), began, took)
  } catch {
    return null // that it does not answer is said elsewhere
  }
}

/** What was read somewhere in between, to the second below. @param {number} read @param {number} began @param {number} took */
export const between = (read, began, took) => ({
  ahead: read + SECOND / 2 - (began + took / 2),
  give: took / 2 + SECOND / 2,
})

/** How far off it is for sure. @param {Clock} clock */
export const surely = clock => Math.max(0, Math.abs(clock.ahead) - clock.give)

const LITTLE = 10000
const MUCH = 300000

/** @param {number} off milliseconds */
export const clockTone = off => (off <= LITTLE ? 'good' : off <= MUCH ? 'warn' : 'bad')
