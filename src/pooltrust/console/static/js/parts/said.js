// Short notices in the corner, which screen readers hear too.
import { h } from '../core/dom.js'

const SECONDS = 6

/** @param {string} words */
export function say(words) {
  const root = /** @type {HTMLElement} */ (document.getElementById('said'))
  const one = h.div(words.slice(0, 400))
  root.append(one)
  setTimeout(() => one.remove(), SECONDS * 1000)
}

/** Copy, and say so. @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const area = /** @type {HTMLTextAreaElement} */ (h.textarea({ 'aria-hidden': 'true' }))
    area.value = text
    ;(document.querySelector('dialog[open]') ?? document.body).append(area)
    area.select()
    document.execCommand('copy')
    area.remove()
  }
  say('Copied.')
}

/** Have the browser save a text as a file. @param {string} file @param {string} text */
export function save(file, text, type = 'text/plain') {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = /** @type {HTMLAnchorElement} */ (h.a({ href: url, download: file }))
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10000)
}
