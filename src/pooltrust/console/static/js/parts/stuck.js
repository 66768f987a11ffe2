// Whatever fails where nobody waits for it ends in words: no dialog stays busy, nothing fails unseen.
import { Failed } from '../core/api.js'
import { h, name } from '../core/dom.js'
import { ask, closing } from './dialog.js'
import { say } from './said.js'

/** @param {any} why */
function shown(why) {
  const words = why?.message ?? String(why)
  if (!document.querySelector('dialog[open] .busy')) return say(words)
  ask(
    'That did not come to an end',
    [
      h.p('It may have been done or not: see whether the change is there.'),
      h.p({ role: 'alert' }, name(words, 600)),
    ],
    [closing('Close')],
  )
}

export function begin() {
  addEventListener('unhandledrejection', event => {
    // A refusal is the host's; anything else is a fault of this page, and stays one in its console.
    if (event.reason instanceof Failed) event.preventDefault()
    shown(event.reason)
  })
  addEventListener('error', event => shown(event.error ?? event.message))
}
