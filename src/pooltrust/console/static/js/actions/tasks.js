// Tasks: calls that a host carries out in the background, so that they can be watched and cancelled.
import { call, Failed } from '../core/api.js'
import { can } from '../core/facts.js'
import { places } from '../core/store.js'
import { button } from '../parts/dialog.js'
import { say } from '../parts/said.js'

const EVENT_SECONDS = 5
const UNDER_WAY = ['pending', 'cancelling']

/** Begin a call as a task; empty where it has no such form. @param {{id: string, method: string, parameters: any[]}} action */
export async function begun({ id, method, parameters }) {
  try {
    return await call(id, `Async.${method}`, ...parameters)
  } catch (why) {
    const told = /** @type {Failed} */ (why)
    if (told.code === 'MESSAGE_METHOD_UNKNOWN' || told.message.includes('No async mode')) return ''
    throw why
  }
}

/** Wait for its end, over connections that are lost.  Throws what it failed with. @param {string} id @param {string} ref */
export async function ended(id, ref) {
  let unseen = Date.now()
  for (;;) {
    const task = places.get(id)?.objects.task.get(ref)
    if (task && !UNDER_WAY.includes(task.status)) return outcome(id, task)
    if (task || places.get(id)?.state.standing !== 'connected') unseen = Date.now()
    if (Date.now() - unseen > EVENT_SECONDS * 1000) {
      const record = await call(id, 'task.get_record', ref)
      if (!UNDER_WAY.includes(record.status)) return outcome(id, record)
      unseen = Date.now()
    }
    if (!places.has(id)) throw new Failed({ code: 'CONNECTION_LOST', words: 'This console left the pool.' })
    await new Promise(done => setTimeout(done, 100))
  }
}

/** @param {string} id @param {any} task */
async function outcome(id, task) {
  if (task.status === 'success') return ''
  const [code = 'INTERNAL_ERROR', ...parameters] = task.error_info ?? []
  const place = places.get(id)
  const told =
    place && can(place, 'pooltrust.get_last_failure')
      ? await call(id, 'pooltrust.get_last_failure').catch(() => null)
      : null
  throw new Failed({ code, parameters, words: told?.code === code ? told.words : '' })
}

/** Where a task can be cancelled. @param {string} id @param {string} ref */
export function cancelButton(id, ref) {
  const task = places.get(id)?.objects.task.get(ref)
  if (task?.status === 'cancelling')
    return button('Cancelling…', () => undefined, { 'aria-disabled': 'true' })
  if (task?.status !== 'pending' || !task.allowed_operations?.includes('cancel')) return ''
  return button('Cancel', () => cancel(id, ref), { class: 'danger' })
}

/** @param {string} id @param {string} ref */
export async function cancel(id, ref) {
  try {
    await call(id, 'task.cancel', ref)
    say('It is asked to stop; what it did is taken back.')
  } catch (why) {
    say(/** @type {Error} */ (why).message)
  }
}
