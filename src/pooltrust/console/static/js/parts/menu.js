// Menus: from the bar, from a visible button, and at a right click.  Arrows, Home, End, Escape and
// first letters work in all of them.  There is one at a time, with its submenu.  What can't be chosen now
// is shown all the same, and says why.
import { h } from '../core/dom.js'
import { say } from './said.js'

/** @typedef {{label: string, run?: () => void, checked?: boolean, items?: Item[], why?: string}|'line'|{about: string}} Item */

/** @type {HTMLElement[]} */
let open = []
/** @type {HTMLElement|null} */
let opener = null
/** Where the keyboard was before the first menu was opened. @type {HTMLElement|null} */
let before = null

/** @param {number} keep */
function close(keep = 0) {
  for (const one of open.splice(keep)) one.remove()
  if (!keep && opener) {
    opener.setAttribute('aria-expanded', 'false')
    opener = null
  }
}

/** Open a menu below its button. @param {HTMLElement} button @param {Item[]} items */
export function menuBelow(button, items) {
  const again = opener === button
  close()
  if (again) return
  const { left, bottom } = button.getBoundingClientRect()
  opener = button
  button.setAttribute('aria-expanded', 'true')
  show(items, left, bottom + 2, button.textContent ?? 'Menu', 0)
}

/** Open a menu where somebody clicked. @param {MouseEvent} event @param {Item[]} items @param {string} label */
export function menuAt(event, items, label) {
  event.preventDefault()
  close()
  const target = /** @type {HTMLElement} */ (event.currentTarget)
  const at =
    event.clientX || event.clientY
      ? [event.clientX, event.clientY]
      : [target.getBoundingClientRect().left, target.getBoundingClientRect().bottom]
  show(items, at[0], at[1], label, 0)
}

/** @param {Item[]} items @param {number} x @param {number} y @param {string} label @param {number} depth */
function show(items, x, y, label, depth) {
  close(depth)
  if (!depth) before = /** @type {HTMLElement|null} */ (document.activeElement)
  const menu = h.div(
    {
      class: 'menu',
      role: 'menu',
      'aria-label': label,
      onkeydown: event => keys(event, menu, depth),
    },
    items.map(item => row(item, depth)),
  )
  document.getElementById('menu-root')?.append(menu)
  open.push(menu)
  const { width, height } = menu.getBoundingClientRect()
  menu.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`
  menu.style.top = `${Math.max(4, Math.min(y, innerHeight - height - 4))}px`
  rows(menu)[0]?.focus()
}

/** @param {Item} item @param {number} depth */
function row(item, depth) {
  if (item === 'line') return h.hr({ role: 'separator' })
  if ('about' in item) return h.div({ class: 'about', role: 'presentation' }, h.bdi(item.about))
  const { label, items, checked, why } = item
  const element = h.button(
    {
      type: 'button',
      tabindex: '-1',
      role: checked === undefined ? 'menuitem' : 'menuitemcheckbox',
      'aria-checked': checked === undefined ? null : String(checked),
      'aria-haspopup': items ? 'menu' : null,
      'aria-disabled': why ? 'true' : null,
      onclick: () => {
        if (why) return say(`${label}: ${why}`)
        if (items) {
          const box = element.getBoundingClientRect()
          show(
            items,
            innerWidth < 720 ? box.left + 12 : box.right,
            innerWidth < 720 ? box.bottom : box.top,
            label,
            depth + 1,
          )
          return
        }
        close()
        if (before?.isConnected) before.focus()
        item.run?.()
      },
    },
    checked === undefined ? null : h.span({ class: 'tick', 'aria-hidden': 'true' }, checked ? '✓' : ''),
    label,
    items ? h.span({ class: 'arrow', 'aria-hidden': 'true' }, '▸') : null,
    why ? h.span({ class: 'why' }, why) : null,
  )
  return element
}

/** @param {HTMLElement} menu @returns {HTMLElement[]} */
const rows = menu =>
  [...menu.querySelectorAll('[role^=menuitem]')].map(one => /** @type {HTMLElement} */ (one))

/** @param {KeyboardEvent} event @param {HTMLElement} menu @param {number} depth */
function keys(event, menu, depth) {
  const all = rows(menu)
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement))
  const letter =
    event.key.length === 1 &&
    all.find((one, n) => n > at && one.textContent?.toLowerCase().startsWith(event.key.toLowerCase()))
  if (event.key === 'ArrowDown') all[(at + 1) % all.length]?.focus()
  else if (event.key === 'ArrowUp') all[(at + all.length - 1) % all.length]?.focus()
  else if (event.key === 'Home') all[0]?.focus()
  else if (event.key === 'End') all[all.length - 1]?.focus()
  else if (event.key === 'ArrowRight' && all[at]?.getAttribute('aria-haspopup')) all[at].click()
  else if ((event.key === 'ArrowLeft' || event.key === 'Escape') && depth) {
    close(depth)
    open[depth - 1]?.querySelector('[aria-haspopup]') &&
      /** @type {HTMLElement} */ (open[depth - 1].querySelector('[aria-haspopup]')).focus()
  } else if (event.key === 'Escape' || event.key === 'Tab') {
    close()
    before?.focus()
  } else if (letter) letter.focus()
  else return
  event.preventDefault()
  event.stopPropagation()
}

document.addEventListener('pointerdown', event => {
  const target = /** @type {Node} */ (event.target)
  if (!open.some(one => one.contains(target)) && !opener?.contains(target)) close()
})
