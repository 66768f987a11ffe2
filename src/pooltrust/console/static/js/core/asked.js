// What pages ask a host for beyond its records: kept until something changes, and asked once.
import { call } from './api.js'
import { changed } from './store.js'

const SELDOM = 5000

/** @type {Map<string, {value?: any, fault?: string, at: number, asking: boolean, lasting: boolean, late?: boolean}>} */
const kept = new Map()

/**
 * The answer to a call, or what was answered last while it is asked anew.
 * `lasting`: no event makes it outdated.
 * @param {string} id @param {string} what @param {() => Promise<any>} asking @param {number} [fresh] milliseconds
 */
export function answer(id, what, asking, fresh = 30000, lasting = false) {
  const key = `${id} ${what}`
  const one = kept.get(key) ?? { at: 0, asking: false, lasting }
  kept.set(key, one)
  if (!one.asking && Date.now() - one.at > fresh) {
    one.asking = true
    asking()
      .then(
        value => {
          one.value = value
          one.fault = undefined
        },
        why => {
          one.fault = why.message
        },
      )
      .finally(() => {
        one.asking = false
        one.at = one.late ? 0 : Date.now() // what changed while it was asked may not be in it
        one.late = false
        changed({ kind: 'answer' })
        // Who wants it fresher than its pages are drawn is drawn again in time to ask.
        if (fresh < SELDOM) setTimeout(() => changed({ kind: 'answer' }), fresh + 50)
      })
  }
  return one
}

/** @param {string} id @param {string} method @param {...any} parameters */
export const answerOf = (id, method, ...parameters) =>
  answer(id, `${method} ${parameters.join(' ')}`, () => call(id, method, ...parameters))

/** Ask anew what belongs to this server, at once: no event may tell of it. @param {string} id @param {string} [what] */
export function outdated(id, what = '') {
  forget(id, what)
  changed({ kind: 'answer' })
}

/** @param {string} id @param {string} [what] */
function forget(id, what = '') {
  for (const [key, one] of kept) {
    if (!key.startsWith(`${id} ${what}`) || (one.lasting && !what)) continue
    one.at = 0
    one.late = one.asking
  }
}

/** Records have changed: what was asked for may have, too. @param {any} said */
export function heard(said) {
  if (said.all || said.changes.some(one => one.class !== 'host_metrics' && one.class !== 'task'))
    forget(said.id)
}
