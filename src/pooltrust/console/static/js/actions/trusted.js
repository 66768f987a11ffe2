// Certificates and revocation lists that a pool is to trust: read on this machine from whatever they are
// in, and shown with their thumbprints before anything is installed.
import { outdated } from '../core/asked.js'
import { h, name } from '../core/dom.js'
import { poolRef } from '../core/facts.js'
import { places } from '../core/store.js'
import { daysWords, when } from '../core/words.js'
import { ask, goingOn, turn } from '../parts/dialog.js'
import { entry, thumb } from '../parts/pieces.js'
import { act } from './act.js'
import { finding, given } from './given.js'

/** @type {Record<string, {title: string, method: string, confirm: string, named: boolean, words: string}>} */
const KINDS = {
  authority: {
    title: 'Install a CA certificate',
    method: 'pool.install_ca_certificate',
    confirm: 'Install',
    named: true,
    words: 'The hosts of the pool believe appliances whose certificates this authority issued.',
  },
  pinned: {
    title: 'Pin a certificate',
    method: 'pool.install_trusted_certificate',
    confirm: 'Pin',
    named: false,
    words: 'Exactly this certificate is believed, whatever name it has.',
  },
  crl: {
    title: 'Install a revocation list',
    method: 'pool.crl_install',
    confirm: 'Install',
    named: true,
    words: 'Certificates that it names are refused from the next connection on.',
  },
}

/** @param {string} id @param {string} purpose */
export function trust(id, purpose) {
  const kind = KINDS[purpose]
  const naming = nameField()
  const found = h.div({ 'data-own': true })
  const choice = { at: 0 }
  const reading = given({
    purpose,
    fields: [{ id: 'trusted-pem', label: 'PEM', hint: 'Or paste it.', about: ['certificate', ''] }],
    heard: said => {
      const items = said.items ?? []
      choice.at = Math.min(choice.at, Math.max(0, items.length - 1))
      naming.suggest(items[choice.at]?.name)
      found.replaceChildren(...shownAll(items, choice, naming))
    },
  })
  const next = async () => {
    const asked = turn()
    const said = await reading.read()
    if (turn() !== asked) return
    const item = said.items?.[choice.at]
    if (!item || item.findings.some(one => one.level === 'error')) return reading.focus(said)
    confirm(id, purpose, item, naming.input.value)
  }
  ask(
    kind.title,
    [h.p(kind.words), ...reading.parts, found, ...(kind.named ? naming.parts : [])],
    goingOn(next),
  )
}

/** The name under which it is installed: suggested until somebody types another. */
function nameField() {
  let typed = false
  const input = /** @type {HTMLInputElement} */ (
    h.input({ id: 'trusted-name', autocomplete: 'off', spellcheck: 'false', oninput: () => (typed = true) })
  )
  return {
    input,
    parts: [h.label({ for: 'trusted-name' }, 'Name (a file name that ends in .pem)'), input],
    /** @param {string} [text] */
    suggest: text => {
      if (!typed && text) input.value = text
    },
  }
}

/** @param {any[]} items @param {{at: number}} choice @param {any} naming */
function shownAll(items, choice, naming) {
  if (items.length < 2) return items.map(one => h.section(...facts(one), ...one.findings.map(finding)))
  const choose = n => {
    choice.at = n
    naming.suggest(items[n].name)
  }
  return [
    h.fieldset(
      { class: 'choices' },
      h.legend('Several were found; one is taken at a time'),
      items.map((one, n) =>
        h.div(
          h.label(
            h.input({ type: 'radio', name: 'which', checked: n === choice.at, onchange: () => choose(n) }),
            h.span(name(one.subject ?? one.issuer, 200), h.div({ class: 'mono thumbprint' }, one.thumbprint)),
          ),
          one.findings.map(finding),
        ),
      ),
    ),
  ]
}

/** A certificate or a list, as it is to be compared. @param {any} one */
const facts = one => [
  h.dl(
    { class: 'entries' },
    one.subject ? entry('Subject', name(one.subject, 300)) : null,
    entry('Issuer', one.self_signed ? 'itself (self-signed)' : name(one.issuer, 300)),
    one.subject
      ? entry('Valid', `${when(one.not_before)} to ${when(one.not_after)}, ${daysWords(one.days_left)}`)
      : entry('Made', `${when(one.made)}; the next one ${one.next ? when(one.next) : 'is not promised'}`),
    one.subject ? entry('Key', one.key) : entry('Revokes', `${one.revoked} certificates`),
  ),
  h.p('Thumbprint (SHA-256): ', thumb(one.thumbprint, true)),
]

/** @param {string} id @param {string} purpose @param {any} item @param {string} given */
function confirm(id, purpose, item, given) {
  const { title, method, confirm: word, words, named } = KINDS[purpose]
  const place = /** @type {any} */ (places.get(id))
  const parameters = named ? [given.trim(), item.pem] : [poolRef(place), false, item.pem, []]
  return act({
    id,
    title,
    method,
    parameters,
    warning: [...facts(item), ...item.findings.map(finding), h.p(words)],
    confirm: word,
    done: () => {
      outdated(id)
      return []
    },
  })
}
