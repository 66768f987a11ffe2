// The one dialog.  What is to be asked next takes its place: never one upon another.
import { draw, h } from '../core/dom.js'

const element = () => /** @type {HTMLDialogElement} */ (document.getElementById('dialog'))
/** @type {(() => void)|null} */
let closed = null

export const isOpen = () => element().open

let turns = 0
/** Which question is asked now: whoever waited finds out whether the person has gone on since. */
export const turn = () => turns

/**
 * Show a dialog, in place of what it shows now.
 * @param {string} title @param {any[]} body @param {any[]} buttons @param {() => void} [onclose]
 */
export function ask(title, body, buttons, onclose) {
  const dialog = element()
  turns += 1
  closed = onclose ?? null
  // Drawn as new: what was typed into the one before does not belong here.
  dialog.replaceChildren()
  draw(
    dialog,
    h.h2({ id: 'dialog-title', tabindex: '-1' }, title),
    ...body,
    h.div({ class: 'buttons' }, ...buttons),
  )
  if (!dialog.open) dialog.showModal()
  const first =
    dialog.querySelector('[autofocus]') ??
    dialog.querySelector('input, textarea, select') ??
    dialog.querySelector('h2')
  ;/** @type {HTMLElement} */ (first).focus()
}

/** Bring what is shown to a new state. @param {string} title @param {any[]} body @param {any[]} buttons */
export function redraw(title, body, buttons) {
  draw(
    element(),
    h.h2({ id: 'dialog-title', tabindex: '-1' }, title),
    ...body,
    h.div({ class: 'buttons' }, ...buttons),
  )
}

export function close() {
  element().close()
}

/** A button that closes. @param {string} label */
export const closing = (label = 'Cancel', given = {}) =>
  h.button({ type: 'button', onclick: close, ...given }, label)

/** @param {string} label @param {() => void} run */
export const button = (label, run, given = {}) => h.button({ type: 'button', onclick: run, ...given }, label)

/** The buttons of a question that has fields: what is asked next looks at what was typed. @param {() => void} next */
export const goingOn = next => [closing(), button('Go on', next, { class: 'main' })]

/** What was typed into the field with this id. @param {string} id */
export const typed = id => /** @type {HTMLInputElement} */ (document.getElementById(id)).value

export function begin() {
  element().addEventListener('close', () => {
    turns += 1
    const then = closed
    closed = null
    then?.()
    // The browser gives the keyboard back to where it was; that place may be gone meanwhile.
    if (!document.activeElement || document.activeElement === document.body)
      document.getElementById('main')?.focus()
  })
}
