// What is known now: servers, their objects, the person's wishes.  It is told by the stream; pages
// read it and are drawn again after a change.
import { ask, get, key } from './api.js'

/** @typedef {{state: any, objects: Record<string, Map<string, any>>}} Place */

/** @type {Map<string, Place>} */
export const places = new Map()
export const link = { up: false }
/** @type {{quiet: string[], acknowledged: Record<string, string>, snoozed: Record<string, string>}} */
export const wishes = { quiet: [], acknowledged: {}, snoozed: {} }

const listeners = new Set()
const CLASSES = ['pool', 'host', 'host_metrics', 'certificate', 'message', 'task', 'subject', 'role']

/** Have `heard` called after each change, with what was said. @param {(said: any) => void} heard */
export function listen(heard) {
  listeners.add(heard)
}

export function changed(said = { kind: 'drawn' }) {
  for (const heard of listeners) heard(said)
}

/** Connect to the stream; the browser connects again by itself. */
export async function begin() {
  Object.assign(wishes, await get('/api/wishes'))
  const source = new EventSource(`/api/events?key=${key}`)
  source.onmessage = event => take(JSON.parse(event.data))
  source.onerror = () => {
    link.up = false
    changed({ kind: 'link' })
  }
}

/** Keep the person's wishes. */
export async function keepWishes() {
  changed({ kind: 'wishes' })
  await ask('/api/wishes', wishes)
}

/** @param {any} said */
function take(said) {
  if (said.kind === 'begin') {
    places.clear()
    link.up = true
  } else if (said.kind === 'gone') places.delete(said.id)
  else if (said.kind === 'place') {
    const known = places.get(said.place.id)
    said.before = known?.state.standing
    if (known) known.state = said.place
    else places.set(said.place.id, { state: said.place, objects: empty() })
  } else if (said.kind === 'objects') takeObjects(said)
  changed(said)
}

/** @param {any} said */
function takeObjects(said) {
  const place = places.get(said.id)
  if (!place) return
  if (said.all) place.objects = empty()
  for (const { class: kind, ref, record } of said.changes) {
    if (record) place.objects[kind].set(ref, record)
    else place.objects[kind].delete(ref)
  }
}

const empty = () => Object.fromEntries(CLASSES.map(kind => [kind, new Map()]))
