// Installing a server certificate, and asking an authority for one.  What is typed stays in the
// dialog and goes to the host only.
import { call, Failed } from '../core/api.js'
import { h, name } from '../core/dom.js'
import { can, certificatesOf, thumbprint } from '../core/facts.js'
import { places } from '../core/store.js'
import { ask, button, closing } from '../parts/dialog.js'
import { banner, thumb } from '../parts/pieces.js'
import { copy, save } from '../parts/said.js'
import { act } from './act.js'

/** @param {string} id @param {string} label @param {string} hint */
function pemField(id, label, hint) {
  const area = /** @type {HTMLTextAreaElement} */ (
    h.textarea({ id, spellcheck: 'false', autocomplete: 'off', 'aria-describedby': `${id}-hint` })
  )
  const file = h.input({
    type: 'file',
    'aria-label': `${label}: from a file`,
    accept: '.pem,.crt,.cer,.key',
    onchange: async event => {
      area.value = await event.target.files[0].text()
    },
  })
  area.ondragover = event => event.preventDefault()
  area.ondrop = async event => {
    event.preventDefault()
    const dropped = event.dataTransfer?.files[0]
    if (dropped) area.value = await dropped.text()
  }
  return {
    area,
    parts: [h.label({ for: id }, label), h.div({ id: `${id}-hint`, class: 'faint' }, hint), area, file],
  }
}

/** What can be seen before the host is asked. @param {string} certificate @param {string} key */
function findings(certificate, key) {
  const found = []
  if (!/-----BEGIN CERTIFICATE-----/.test(certificate)) found.push('Certificate: this is no PEM certificate.')
  if (key !== '-' && /ENCRYPTED/.test(key))
    found.push('Private key: it is encrypted. Decrypt it first: openssl pkcs8 -topk8 -nocrypt -in KEY')
  else if (key !== '-' && /BEGIN RSA PRIVATE KEY/.test(key))
    found.push('Private key: it is PKCS#1. Convert it: openssl pkcs8 -topk8 -nocrypt -in KEY')
  else if (key !== '-' && !/-----BEGIN PRIVATE KEY-----/.test(key))
    found.push('Private key: this is no PEM private key (PKCS#8).')
  return found
}

/** The first certificate, and those after it as its chain. @param {string} text */
function split(text) {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  return [blocks[0] ? blocks[0] + '\n' : text, blocks.slice(1).join('\n')]
}

/** @param {string} id @param {string} ref @param {boolean} requested the key waits on the host */
export function install(id, ref, requested = false) {
  const place = /** @type {any} */ (places.get(id))
  const host = place.objects.host.get(ref)
  const now = certificatesOf(place, ref).find(([, one]) => one.type === 'host')?.[1]
  const certificate = pemField(
    'install-certificate',
    'Certificate',
    'PEM; further certificates after it are taken as its chain.',
  )
  const key = pemField('install-key', 'Private key', 'Unencrypted PKCS#8 PEM.')
  const chain = pemField('install-chain', 'Intermediate certificates', 'PEM; may be empty.')
  const faults = h.div({ role: 'alert', 'data-own': true })
  const next = () => {
    const found = findings(certificate.area.value, requested ? '-' : key.area.value)
    faults.replaceChildren(...found.map(words => h.p({ class: 'field-error' }, words)))
    if (found.length) return
    const [leaf, rest] = split(certificate.area.value)
    confirm(
      id,
      ref,
      host,
      requested,
      leaf,
      key.area.value,
      [chain.area.value, rest].filter(Boolean).join('\n'),
    )
  }
  ask(
    `Install Certificate on ${host.name_label.slice(0, 80)}`,
    [
      now ? h.p('Now clients meet ', thumb(thumbprint(now))) : null,
      ...certificate.parts,
      ...(requested ? [] : key.parts),
      ...chain.parts,
      faults,
    ],
    [closing(), button('Go on', next, { class: 'main' })],
  )
}

function confirm(id, ref, host, requested, leaf, key, chain) {
  const place = /** @type {any} */ (places.get(id))
  const ours = can(place, 'pooltrust.install_server_certificate')
  const method = requested
    ? 'pooltrust.install_requested_certificate'
    : ours
      ? 'pooltrust.install_server_certificate'
      : 'host.install_server_certificate'
  return act({
    id,
    title: `Install Certificate on ${host.name_label.slice(0, 80)}`,
    method,
    parameters: requested ? [ref, leaf, chain] : [ref, leaf, key, chain],
    warning: [
      h.p('The host checks key, dates, signature and chain first; if anything is wrong, nothing changes.'),
      h.p(
        'Then its clients are disconnected after their present call, this console included; it connects again by itself.',
      ),
    ],
    confirm: 'Install',
    refuse: 'Cancel',
    done: result =>
      Array.isArray(result)
        ? [
            h.p('Clients meet this certificate now:'),
            thumb(result[0], true),
            ...result.slice(1).map(words => banner(words)),
          ]
        : [],
  })
}

/** @param {string} id @param {string} ref */
export async function request(id, ref) {
  const place = /** @type {any} */ (places.get(id))
  const title = `Certificate request of ${place.objects.host.get(ref).name_label.slice(0, 80)}`
  ask(title, [h.p({ class: 'busy' }, 'Looking…')], [closing()])
  try {
    const pem = await call(id, 'pooltrust.get_certificate_request', ref)
    pem ? waiting(id, ref, title, pem) : fresh(id, ref, title)
  } catch (why) {
    ask(title, [banner(String(why instanceof Failed ? why.message : why), 'bad')], [closing('Close')])
  }
}

function fresh(id, ref, title) {
  const names = /** @type {HTMLInputElement} */ (h.input({ id: 'csr-names', autocomplete: 'off' }))
  const kind = /** @type {HTMLSelectElement} */ (
    h.select(
      { id: 'csr-key' },
      ['', 'rsa-2048', 'rsa-3072', 'p-256', 'p-384'].map(one =>
        h.option({ value: one }, one || 'as configured'),
      ),
    )
  )
  ask(
    title,
    [
      h.p(
        'The host makes a key, which stays there, and a request for an authority to sign. What clients meet does not change yet.',
      ),
      h.label({ for: 'csr-names' }, 'More DNS names than the host’s own'),
      names,
      h.label({ for: 'csr-key' }, 'Key'),
      kind,
    ],
    [
      closing(),
      button(
        'Make a request',
        () =>
          act({
            id,
            title,
            method: 'pooltrust.create_certificate_request',
            parameters: [ref, names.value.split(/[\s,]+/).filter(Boolean), kind.value],
            confirm: 'Make a request',
            done: pem => shown(pem),
          }),
        { class: 'main' },
      ),
    ],
  )
}

const shown = pem => [
  h.label({ for: 'csr-pem' }, 'The request'),
  h.textarea({ id: 'csr-pem', readonly: true, value: pem }, pem),
  h.div(
    { class: 'actions' },
    button('Copy', () => copy(pem)),
    button('Save', () => save('request.csr', pem)),
  ),
]

function waiting(id, ref, title, pem) {
  ask(
    title,
    [h.p('A request waits for its answer; its key is on the host.'), ...shown(pem)],
    [
      button('Discard it', () =>
        act({
          id,
          title,
          method: 'pooltrust.discard_certificate_request',
          parameters: [ref],
          confirm: 'Discard',
          danger: true,
          warning: [h.p(name('The key is deleted; an answer to this request can’t be installed any more.'))],
        }),
      ),
      closing('Close'),
      button('Install the answer…', () => install(id, ref, true), { class: 'main' }),
    ],
  )
}
