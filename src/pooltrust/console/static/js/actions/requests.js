// Certificate requests: one host's, or those of all hosts for one authority; and their signed answers,
// which are brought to whose key each is made for.
import { call, Failed } from '../core/api.js'
import { h, name } from '../core/dom.js'
import { can, hosts, isCoordinator, poolName } from '../core/facts.js'
import { places } from '../core/store.js'
import { when } from '../core/words.js'
import { ask, button, closing, goingOn, turn } from '../parts/dialog.js'
import { banner } from '../parts/pieces.js'
import { copy, save } from '../parts/said.js'
import { act } from './act.js'
import { finding, given } from './given.js'
import { install, namesOf } from './install.js'
import { several } from './several.js'

const CREATE = 'pooltrust.create_certificate_request'
const ANSWER = 'pooltrust.install_requested_certificate'

/** @param {string} id @param {string} ref */
export async function request(id, ref) {
  const place = /** @type {any} */ (places.get(id))
  const title = `Certificate request of ${place.objects.host.get(ref).name_label.slice(0, 80)}`
  ask(title, [h.p({ class: 'busy' }, 'Looking…')], [closing()])
  const asked = turn()
  try {
    const pem = await call(id, 'pooltrust.get_certificate_request', ref)
    if (turn() !== asked) return
    pem ? waiting(id, ref, title, pem) : fresh(id, ref, title)
  } catch (why) {
    if (turn() !== asked) return
    ask(title, [banner(String(why instanceof Failed ? why.message : why), 'bad')], [closing('Close')])
  }
}

/** What is asked for: more names, and the sort of key. */
function wishes() {
  const names = /** @type {HTMLInputElement} */ (h.input({ id: 'csr-names', autocomplete: 'off' }))
  const kind = /** @type {HTMLSelectElement} */ (
    h.select(
      { id: 'csr-key' },
      ['', 'rsa-2048', 'rsa-3072', 'p-256', 'p-384'].map(one =>
        h.option({ value: one }, one || 'as configured'),
      ),
    )
  )
  return {
    parts: [
      h.label({ for: 'csr-names' }, 'More DNS names than the host’s own'),
      names,
      h.label({ for: 'csr-key' }, 'Key'),
      kind,
    ],
    values: () => [names.value.split(/[\s,]+/).filter(Boolean), kind.value],
  }
}

function fresh(id, ref, title) {
  const wished = wishes()
  const go = () =>
    act({
      id,
      title,
      method: CREATE,
      parameters: [ref, ...wished.values()],
      confirm: 'Make a request',
      done: pem => shown(pem),
    })
  ask(
    title,
    [
      h.p(
        'The host makes a key, which stays there, and a request for an authority to sign. What clients meet does not change yet.',
      ),
      ...wished.parts,
    ],
    [closing(), button('Make a request', go, { class: 'main' })],
  )
}

const shown = (pem, label = 'The request', file = 'request.csr') => [
  h.label({ for: 'csr-pem' }, label),
  h.textarea({ id: 'csr-pem', readonly: true, value: pem }, pem),
  h.div(
    { class: 'actions' },
    button('Copy', () => copy(pem)),
    button('Save', () => save(file, pem)),
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
      button('Install the answer…', () => install(id, ref, pem), { class: 'main' }),
    ],
  )
}

/** The hosts of a pool, its coordinator last: whoever is connected to it is disconnected. @param {any} place */
const inTurn = place =>
  hosts(place).sort(([a], [b]) => Number(isCoordinator(place, a)) - Number(isCoordinator(place, b)))

/** What waits on each host. @param {string} id @param {any} place @returns {Promise<Record<string, string>>} */
async function waitingOn(id, place) {
  const asked = hosts(place).map(async ([ref]) => [
    ref,
    await call(id, 'pooltrust.get_certificate_request', ref).catch(() => ''),
  ])
  return Object.fromEntries((await Promise.all(asked)).filter(([, pem]) => pem))
}

/** For every host at once. @param {string} id */
export async function requests(id) {
  const place = /** @type {any} */ (places.get(id))
  const title = `Certificate requests of ${poolName(place).slice(0, 80)}`
  ask(title, [h.p({ class: 'busy' }, 'Looking…')], [closing()])
  const asked = turn()
  const have = await waitingOn(id, place)
  if (turn() !== asked) return
  const missing = inTurn(place).filter(([ref]) => !have[ref])
  const count = Object.keys(have).length
  const wished = wishes()
  const make = () =>
    several({
      id,
      title,
      confirm: 'Make requests',
      warning: [
        h.p(
          'Each host makes a key, which stays there, and a request. What clients meet does not change yet.',
        ),
      ],
      each: missing.map(([ref, host]) => ({
        label: host.name_label,
        method: CREATE,
        parameters: [ref, ...wished.values()],
      })),
      after: () => [
        h.div(
          { class: 'actions' },
          button('All requests…', () => requests(id)),
        ),
      ],
    })
  ask(
    title,
    [
      count
        ? h.div(
            ...shown(together(place, have), `The requests of ${count} hosts, as one file`, 'requests.csr'),
          )
        : null,
      missing.length
        ? h.div(h.p('Without a request: ', name(missing.map(([, one]) => one.name_label).join(', '), 600)))
        : null,
      ...(missing.length ? wished.parts : []),
    ],
    [
      closing('Close'),
      missing.length ? button('Make requests', make, { class: count ? '' : 'main' }) : '',
      count ? button('Install the answers…', () => answers(id, have), { class: 'main' }) : '',
    ],
  )
}

/** @param {any} place @param {Record<string, string>} have */
const together = (place, have) =>
  Object.entries(have)
    .map(([ref, pem]) => `# ${plain(place.objects.host.get(ref)?.name_label ?? '')}\n${pem}`)
    .join('')

const plain = text => text.replace(/[^ -~]/g, '?').slice(0, 80)

/** Each answer to whose request it is, by its key. @param {string} id @param {Record<string, string>} have */
function answers(id, have) {
  const place = /** @type {any} */ (places.get(id))
  const title = `Install the answers — ${poolName(place).slice(0, 60)}`
  const matched = h.div({ 'data-own': true })
  const reading = given({
    purpose: 'answers',
    fields: [
      {
        id: 'answers',
        label: 'Answers',
        hint: 'The signed certificates and the authorities between, in any order.',
        about: ['certificate', 'key', 'chain', ''],
      },
    ],
    more: () => ({
      hosts: Object.fromEntries(
        Object.entries(have).map(([ref, pem]) => [ref, { request: pem, names: namesOf(place, ref) }]),
      ),
    }),
    heard: said => matched.replaceChildren(...Object.entries(said.hosts ?? {}).map(matching)),
  })
  /** @param {[string, any]} one */
  const matching = ([ref, one]) =>
    h.section(
      h.h3(name(place.objects.host.get(ref)?.name_label, 80)),
      one.leaf
        ? h.div(aboutLeaf(one.leaf))
        : h.p({ class: 'faint' }, 'No answer to its request is among it.'),
      one.findings.map(finding),
    )
  const next = async () => {
    const asked = turn()
    const said = await reading.read()
    if (turn() !== asked) return
    const ready = inTurn(place).filter(([ref]) => said.hosts?.[ref]?.install)
    if (!ready.length) return reading.focus(said)
    several({ id, title, confirm: 'Install', warning: WARNING, each: ready.map(eachOf(id, said)) })
  }
  ask(title, [...reading.parts, matched], goingOn(next))
}

const WARNING = [
  h.p(
    'Each host checks its own once more. Its clients are disconnected after their present call; this console connects again by itself. One that fails does not stop the others.',
  ),
]

const aboutLeaf = leaf => [
  name(leaf.subject, 200),
  ` until ${when(leaf.not_after)}`,
  h.div({ class: 'mono thumbprint' }, leaf.thumbprint),
]

/** @param {string} id @param {any} said */
const eachOf =
  (id, said) =>
  ([ref, host]) => {
    const { leaf, install: what } = said.hosts[ref]
    const seen = () =>
      [...(places.get(id)?.objects.certificate.values() ?? [])].some(
        one => one.host === ref && one.type === 'host' && one.fingerprint_sha256 === leaf.thumbprint,
      )
    const parameters = [ref, what.certificate, what.chain]
    return { label: host.name_label, about: h.div(aboutLeaf(leaf)), method: ANSWER, parameters, seen }
  }

/** In the menu of a pool. @param {string} id @param {any} place */
export const requestItems = (id, place) =>
  can(place, CREATE) ? [{ label: 'Certificate requests of all hosts…', run: () => requests(id) }] : []
