// Elements from values.  Text only ever becomes text: no name or message is parsed as markup.
// `draw` brings a part of the page to a new state in place, so that focus, selection and scrolling
// stay where they are while events stream in.

/** @typedef {Node|string|number|false|null|undefined} Child */

/** @typedef {(...given: any[]) => HTMLElement} Maker */

const SVG = new Set(['svg', 'g', 'rect', 'circle', 'path', 'line', 'text', 'title'])

/**
 * Makers of elements, by their kind: `h.p({ class: 'faint' }, 'words')`, `h.p('words')`.  In the
 * attributes `on…` are handlers; what is false, null or undefined is left out, there and among the children.
 * @type {Record<string, Maker>}
 */
export const h = new Proxy(
  {},
  {
    get:
      (_, kind) =>
      (...given) =>
        made(String(kind), given),
  },
)

/** @param {string} kind @param {any[]} given */
function made(kind, given) {
  const named = given.length > 0 && Object.getPrototypeOf(given[0] ?? '') === Object.prototype
  const element = /** @type {any} */ (
    SVG.has(kind)
      ? document.createElementNS('http://www.w3.org/2000/svg', kind)
      : document.createElement(kind)
  )
  element.handlers = {}
  for (const [attribute, value] of Object.entries(named ? given[0] : {})) {
    if (absent(value)) continue
    if (attribute.startsWith('on')) {
      element[attribute] = value
      element.handlers[attribute] = value
    } else if (attribute === 'value') {
      element.value = value
      element.setAttribute('value', value)
    } else element.setAttribute(attribute, value === true ? '' : String(value))
  }
  const children = (named ? given.slice(1) : given).flat(9)
  element.append(...children.filter(child => !absent(child) && child !== ''))
  return element
}

/** @param {unknown} value */
const absent = value => value === false || value === null || value === undefined

/**
 * An element whose children are made only if the one on the page shows another version: a long table of
 * which nothing changed costs little to draw again.  What the children show follows from the version.
 * @param {HTMLElement} element made with no children @param {string} version @param {() => any[]} children
 */
export function versioned(element, version, children) {
  element.setAttribute('data-version', version)
  const one = /** @type {any} */ (element)
  one.later = () =>
    element.append(
      ...children()
        .flat(9)
        .filter(child => !absent(child)),
    )
  return element
}

/** Make what was put off, in what comes to the page as new. @param {any} fresh */
function complete(fresh) {
  if (fresh.nodeType !== Node.ELEMENT_NODE) return fresh
  for (const one of [fresh, ...fresh.querySelectorAll('[data-version]')]) {
    one.later?.()
    one.later = null
  }
  return fresh
}

/** A name that somebody chose: isolated in its direction, and cut if it is long. @param {unknown} text */
export function name(text, most = 120) {
  const whole = visible(String(text ?? ''))
  const shown = whole.length > most ? whole.slice(0, most - 1) + '…' : whole
  return h.bdi({ class: 'name', title: whole.length > most ? whole.slice(0, 500) : null }, shown)
}

/** Text without characters that could hide or reorder what is beside it. @param {string} text */
export function visible(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '\ufffd')
}

/** Bring `root`'s children to these. @param {Element} root @param {...(Child|Child[])} children */
export function draw(root, ...children) {
  const wanted = h.div(...children)
  patchChildren(root, wanted)
}

/** @param {any} old @param {any} wanted */
function patchChildren(old, wanted) {
  const next = [...wanted.childNodes]
  const keyed = new Map([...old.children].filter(one => one.dataset?.key).map(one => [one.dataset.key, one]))
  next.forEach((want, index) => {
    const key = want.dataset?.key
    let have = old.childNodes[index]
    const found = key ? keyed.get(key) : null
    if (found && found !== have) {
      old.insertBefore(found, have ?? null)
      have = found
    }
    if (have && alike(have, want)) patch(have, want)
    else if (have && !(have.dataset?.key && next.some(one => one.dataset?.key === have.dataset.key)))
      old.replaceChild(complete(want), have)
    else old.insertBefore(complete(want), have ?? null)
  })
  while (old.childNodes.length > next.length) old.lastChild.remove()
}

/** @param {any} have @param {any} want */
function alike(have, want) {
  return (
    have.nodeType === want.nodeType &&
    have.nodeName === want.nodeName &&
    have.dataset?.key === want.dataset?.key
  )
}

/** @param {any} have @param {any} want */
function patch(have, want) {
  if (have.nodeType === Node.TEXT_NODE) {
    if (have.data !== want.data) have.data = want.data
    return
  }
  const same = want.later && have.getAttribute('data-version') === want.getAttribute('data-version')
  if (!same) complete(want)
  for (const { name } of [...have.attributes])
    if (!want.hasAttribute(name) && name !== 'open') have.removeAttribute(name)
  for (const { name, value } of [...want.attributes]) {
    if (have.getAttribute(name) === value) continue
    have.setAttribute(name, value)
    if (name === 'value' && document.activeElement !== have) have.value = value
  }
  for (const name of Object.keys(have.handlers ?? {})) if (!(name in want.handlers)) have[name] = null
  for (const [name, handler] of Object.entries(want.handlers ?? {})) have[name] = handler
  have.handlers = want.handlers
  if (!same && !have.hasAttribute('data-own')) patchChildren(have, want)
}
