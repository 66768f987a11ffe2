// What a person gives to be installed: files, drops and pastes.  The console's own server on this machine
// reads them; no host is asked.  What was found, and each finding, stands beside the field that it is about.
import { ask as send, call } from '../core/api.js'
import { draw, h, name } from '../core/dom.js'
import { iconOf } from '../parts/icons.js'

const MOST_BYTES = 1024 * 1024
const MOST_FILES = 16
const SOON = 250

// A file that is let go beside the field must not be opened in place of the console.
for (const kind of ['dragover', 'drop'])
  addEventListener(kind, event => {
    const { dataTransfer } = /** @type {DragEvent} */ (event)
    if (dataTransfer?.types.includes('Files')) event.preventDefault()
  })

/** @typedef {{id: string, label: string, hint: string, about: string[]}} Field */

/**
 * @param {object} wanted
 * @param {string} wanted.purpose @param {Field[]} wanted.fields
 * @param {() => Promise<object>|object} [wanted.more] what else the reading is told
 * @param {(said: any) => void} [wanted.heard] called after each reading
 */
export function given(wanted) {
  /** @type {{name: string, data: string}[]} */
  const files = []
  let due = 0
  let turn = 0
  const soon = () => {
    clearTimeout(due)
    due = window.setTimeout(read, SOON)
  }
  const listed = h.ul({ class: 'plain given-files', 'data-own': true })
  const summary = h.p({ class: 'faint', role: 'status', 'data-own': true })
  const passphrase = passphraseField(soon, read)
  const areas = wanted.fields.map(field => pasteField(field, soon, take))

  /** @param {FileList|File[]} chosen */
  async function take(chosen) {
    for (const file of [...chosen].slice(0, MOST_FILES)) files.push(await sourceOf(file))
    show({ sources: [], findings: [], passphrase: '' })
    await read()
  }

  async function read() {
    clearTimeout(due)
    const mine = ++turn
    const pasted = areas.filter(one => one.area.value.trim())
    const sources = [...files, ...pasted.map(one => ({ name: one.label, data: encoded(one.area.value) }))]
    const said = await asked(sources.filter(one => one.data))
    if (mine === turn) show(said)
    return said
  }

  async function asked(sources) {
    const more = (await wanted.more?.()) ?? {}
    const question = { purpose: wanted.purpose, passphrase: passphrase.input.value, sources, ...more }
    try {
      return await send('/api/read', question)
    } catch (why) {
      const words = /** @type {Error} */ (why).message
      return { sources: [], passphrase: '', findings: [{ field: 'certificate', level: 'error', words }] }
    }
  }

  function show(said) {
    const errors = said.findings.filter(one => one.level === 'error')
    draw(listed, ...files.map(one => fileShown(one, said)))
    passphrase.shown(said)
    for (const one of areas) one.shown(said.findings)
    const count = errors.length === 1 ? '1 thing is' : `${errors.length} things are`
    summary.textContent = errors.length ? `${count} in the way.` : ''
    wanted.heard?.(said)
  }

  /** @param {{name: string, data: string}} one @param {any} said */
  const fileShown = (one, said) =>
    h.li(
      name(one.name, 60),
      ': ',
      one.data
        ? (said.sources.find(it => it.name === one.name)?.words ?? 'not read yet')
        : h.span({ class: 'bad-text' }, 'over 1 MiB: no certificate or key is so large'),
      ' ',
      h.button(
        {
          type: 'button',
          class: 'plain small',
          'aria-label': `Take back ${one.name.slice(0, 60)}`,
          onclick: () => {
            files.splice(files.indexOf(one), 1)
            read()
          },
        },
        'Take back',
      ),
    )

  return {
    read,
    parts: [dropZone(take), listed, passphrase.part, ...areas.map(one => one.part), summary],
    /** To what is wrong. @param {any} said */
    focus: said => {
      const wrong = areas.find(one => one.wrong(said.findings))
      ;(said.passphrase ? passphrase.input : (wrong ?? areas[0]).area).focus()
    },
  }
}

/** @param {(chosen: FileList) => void} take */
function dropZone(take) {
  const input = h.input({
    id: 'given-files',
    type: 'file',
    multiple: true,
    onchange: event => {
      take(event.target.files)
      event.target.value = ''
    },
  })
  return droppable(
    h.div(
      { class: 'drop' },
      h.label({ for: 'given-files' }, 'Files'),
      h.div(
        { class: 'faint' },
        'Drop them here or choose them, in any order: PEM, DER, PKCS#12 (PFX), PKCS#7. They are read on this machine.',
      ),
      input,
    ),
    take,
  )
}

/** @param {HTMLElement} element @param {(chosen: FileList) => void} take */
function droppable(element, take) {
  const over = on => element.classList.toggle('over', on)
  element.ondragover = event => {
    event.preventDefault()
    over(true)
  }
  element.ondragleave = () => over(false)
  element.ondrop = event => {
    over(false)
    const dropped = event.dataTransfer?.files
    if (!dropped?.length) return // text that is dropped goes where it is dropped
    event.preventDefault()
    take(dropped)
  }
  return element
}

/** @param {Field} field @param {() => void} soon @param {(chosen: FileList) => void} take */
function pasteField({ id, label, hint, about }, soon, take) {
  const area = /** @type {HTMLTextAreaElement} */ (
    droppable(
      h.textarea({
        id,
        rows: 3,
        spellcheck: 'false',
        autocomplete: 'off',
        'aria-describedby': `${id}-hint ${id}-found`,
        oninput: soon,
      }),
      take,
    )
  )
  const found = h.div({ id: `${id}-found`, class: 'findings', 'data-own': true })
  const own = findings => findings.filter(one => about.includes(one.field))
  const wrong = findings => own(findings).some(one => one.level === 'error')
  return {
    label,
    area,
    wrong,
    part: h.div(
      { class: 'given' },
      h.label({ for: id }, label),
      h.div({ id: `${id}-hint`, class: 'faint' }, hint),
      area,
      found,
    ),
    shown: findings => {
      draw(found, ...own(findings).map(finding))
      area.setAttribute('aria-invalid', String(wrong(findings)))
    },
  }
}

const TONES = { error: 'bad', advice: 'warn', good: 'good' }
const SPOKEN = { error: 'In the way: ', advice: 'Advice: ', good: '' }

/** @param {{level: string, words: string}} one */
export const finding = one =>
  h.p(
    { class: `finding ${TONES[one.level]}-text` },
    iconOf({ tone: TONES[one.level] }),
    h.span(h.span({ class: 'hidden-label' }, SPOKEN[one.level]), name(one.words, 900)),
  )

/** @param {() => void} soon @param {() => void} read */
function passphraseField(soon, read) {
  const input = /** @type {HTMLInputElement} */ (
    h.input({
      id: 'given-passphrase',
      type: 'password',
      autocomplete: 'off',
      oninput: soon,
      onkeydown: event => event.key === 'Enter' && read(),
    })
  )
  const found = h.div({ class: 'findings', 'data-own': true })
  const part = h.div(
    { class: 'given', hidden: true },
    h.label({ for: 'given-passphrase' }, 'Passphrase'),
    input,
    found,
  )
  return {
    input,
    part,
    shown: said => {
      const first = part.hidden && Boolean(said.passphrase)
      if (first) part.hidden = false
      draw(found, ...said.findings.filter(one => one.field === 'passphrase').map(finding))
      if (first && document.activeElement?.nodeName !== 'TEXTAREA') input.focus()
    },
  }
}

/** A file's bytes in base64; none for one that is too large. @param {File} file */
async function sourceOf(file) {
  if (file.size > MOST_BYTES) return { name: file.name, data: '' }
  return { name: file.name, data: inBase64(new Uint8Array(await file.arrayBuffer())) }
}

/** @param {string} text */
const encoded = text => inBase64(new TextEncoder().encode(text))

/** @param {Uint8Array} bytes */
function inBase64(bytes) {
  let text = ''
  for (let at = 0; at < bytes.length; at += 32768)
    text += String.fromCharCode(...bytes.subarray(at, at + 32768))
  return btoa(text)
}

/** What clients of a host meet now, read; null where it is not told. @param {string} id @param {string} ref */
export async function present(id, ref) {
  const pem = await call(id, 'host.get_server_certificate', ref).catch(() => '')
  const said = await send('/api/read', { purpose: 'server', present: pem, sources: [] }).catch(() => null)
  return { pem, facts: said?.present ?? null }
}
