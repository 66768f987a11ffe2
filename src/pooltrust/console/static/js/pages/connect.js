// Adding a server, meeting it for the first time, and a certificate that has changed.
import { ask as send, Failed } from '../core/api.js'
import { h, name } from '../core/dom.js'
import { plainThumbprint, when } from '../core/words.js'
import { ask, button, close, closing } from '../parts/dialog.js'
import { banner, thumb, validity } from '../parts/pieces.js'
import { go } from '../core/route.js'

export function addServer() {
  const field = (id, label, given) => [
    h.label({ for: id }, label),
    h.input({ id, autocomplete: 'off', spellcheck: 'false', ...given }),
  ]
  const value = id => /** @type {HTMLInputElement} */ (document.getElementById(id)).value
  const fault = h.div({ role: 'alert', 'data-own': true })
  const connect = async () => {
    try {
      const { id } = await send('/api/connect', {
        address: value('add-address'),
        user: value('add-user'),
        password: value('add-password'),
      })
      close()
      go(id, 'pool', 'general')
    } catch (why) {
      fault.replaceChildren(h.p({ class: 'field-error' }, why instanceof Failed ? why.message : String(why)))
    }
  }
  const enter = event => {
    if (event.key === 'Enter') connect()
  }
  ask(
    'Add server',
    [
      h.div(
        { onkeydown: enter },
        ...field('add-address', 'Server (name or address, maybe with :port)', {
          required: true,
          autofocus: true,
        }),
        ...field('add-user', 'User', { value: 'root', autocomplete: 'username' }),
        ...field('add-password', 'Password', { type: 'password', autocomplete: 'current-password' }),
      ),
      h.p(
        { class: 'faint' },
        'Nothing is sent before you have said that you trust its certificate. The password is kept in memory only.',
      ),
      fault,
    ],
    [closing(), button('Connect', connect, { class: 'main' })],
  )
}

/** @param {any} state @param {string} answer */
async function say(state, answer) {
  try {
    await send('/api/answer', { id: state.id, answer, thumbprint: state.met.thumbprint })
  } catch (why) {
    ask('That was not taken', [h.p(String(/** @type {Error} */ (why).message))], [closing('Close')])
  }
}

/** A box that turns green or red as an expected thumbprint is pasted. @param {any} state */
function expectedBox(state) {
  // Found when it is needed: a redraw keeps the element that is there, not the one made with it.
  const verdict = () => /** @type {HTMLElement} */ (document.getElementById('expected-verdict'))
  const judge = event => {
    const typed = plainThumbprint(event.target.value)
    const same = typed === plainThumbprint(state.met.thumbprint)
    verdict().replaceChildren(
      ...(typed === ''
        ? []
        : [
            same
              ? h.p({ class: 'good-text' }, '✓ It is the expected certificate.')
              : h.p(
                  { class: 'bad-text' },
                  typed.length < 64
                    ? `${typed.length} of 64 digits so far.`
                    : '✗ It is NOT the expected certificate. Refuse it.',
                ),
          ]),
    )
  }
  // Of this certificate only: under another one neither what was typed nor the verdict may stay.
  const key = state.met.thumbprint
  return [
    h.label(
      { for: 'expected' },
      'Paste the thumbprint that you expect (from the host: pooltrust host status)',
    ),
    h.input({
      id: 'expected',
      'data-key': `expected ${key}`,
      class: 'mono wide',
      autocomplete: 'off',
      spellcheck: 'false',
      oninput: judge,
    }),
    h.div({ id: 'expected-verdict', 'data-key': `verdict ${key}`, role: 'status', 'data-own': true }),
  ]
}

/** @param {any} met */
const metShown = met =>
  h.dl(
    { class: 'entries' },
    [
      ['Subject', name(met.subject, 300)],
      ['Issuer', met.self_signed ? 'itself (self-signed)' : name(met.issuer, 300)],
      ['Names', name([...met.names, ...met.addresses].join(', ') || 'none', 500)],
      ['Validity', validity(met.not_before, met.not_after)],
      ['Key', met.key],
    ].map(([label, value]) => h.div(h.dt(label), h.dd(value))),
  )

/** @param {any} state */
export function stranger(state) {
  return [
    h.div({ class: 'title' }, h.h1('First meeting with ', name(state.asked))),
    h.p(name(state.words, 400), ' Nothing has been sent to it yet.'),
    h.div(
      { class: 'sheet' },
      h.h2('Thumbprint (SHA-256) of its certificate'),
      thumb(state.met.thumbprint, true),
      ...expectedBox(state),
      metShown(state.met),
      h.h2('Why it is not trusted yet'),
      h.ul(
        { class: 'plain' },
        state.doubts.map(words => h.li(name(words, 500))),
      ),
    ),
    h.div(
      { class: 'actions' },
      button('Trust and remember', () => say(state, 'remember'), { class: 'main' }),
      button('Trust this once', () => say(state, 'once')),
      button('Refuse', () => say(state, 'refuse'), { class: 'danger' }),
    ),
  ]
}

const FIELDS = {
  thumbprint: 'Thumbprint',
  subject: 'Subject',
  issuer: 'Issuer',
  self_signed: 'Self-signed',
  names: 'Names',
  addresses: 'Addresses',
  not_before: 'Valid from',
  not_after: 'Valid to',
  key: 'Key',
}

/** @param {any} state */
export function changedCertificate(state) {
  const [kind, words] = state.verdict
  const shown = (field, text) =>
    !text
      ? h.span({ class: 'faint' }, 'not known')
      : field.startsWith('not_')
        ? when(text)
        : field === 'thumbprint'
          ? h.span({ class: 'mono' }, text)
          : name(text, 400)
  return [
    h.div({ class: 'title' }, h.h1('Certificate changed: ', name(state.asked))),
    banner(words, kind === 'hostile' ? 'bad' : ''),
    h.p(
      'Nothing has been sent to it. Known as ',
      h.strong(name(state.old.name)),
      `, first seen ${when(state.old.first_seen)}, last seen ${when(state.old.last_seen)}; ${state.old.how}.`,
    ),
    h.div(
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'The certificate before and now' },
      h.table(
        h.caption({ class: 'hidden-label' }, 'The certificate before and now'),
        h.thead(
          h.tr(
            h.th({ scope: 'col' }, 'Field'),
            h.th({ scope: 'col' }, 'Before'),
            h.th({ scope: 'col' }, 'Now'),
          ),
        ),
        h.tbody(
          state.differences.map(row =>
            h.tr(
              h.th({ scope: 'row' }, FIELDS[row.field] ?? row.field),
              h.td(shown(row.field, row.old)),
              h.td(
                { class: row.same ? null : 'differs' },
                shown(row.field, row.new),
                row.same ? null : h.span({ class: 'hidden-label' }, ' (differs)'),
              ),
            ),
          ),
        ),
      ),
    ),
    ...expectedBox(state),
    h.div(
      { class: 'actions' },
      button('Refuse', () => say(state, 'refuse'), { class: kind === 'hostile' ? 'main' : '' }),
      button('Trust this once', () => say(state, 'once')),
      button('Trust the new one and remember', () => say(state, 'remember'), {
        class: kind === 'hostile' ? 'danger' : 'main',
      }),
    ),
  ]
}

/** Between connections: why, how long it waits, and "now". @param {any} state */
export function between(state) {
  const seconds = Math.max(0, Math.ceil(state.until - Date.now() / 1000))
  const again = password =>
    send('/api/now', { id: state.id, ...(password === undefined ? {} : { password }) })
  if (state.standing === 'connecting')
    return [
      h.p({ class: 'busy', role: 'status' }, 'Connecting to ', name(`${state.address}:${state.port}`), '…'),
    ]
  if (state.standing === 'waiting') {
    return [
      h.div(
        { class: 'banner', role: 'status' },
        h.p(
          state.expected
            ? 'Disconnected, as was to be expected after the change. '
            : 'The connection was lost. ',
          state.until ? `Connecting again in ${seconds} s (attempt ${state.attempt}).` : '',
        ),
        h.p({ class: 'faint' }, name(state.words, 500)),
        button('Now', () => again()),
      ),
    ]
  }
  const box = /** @type {HTMLInputElement} */ (
    h.input({ id: 'again-password', type: 'password', autocomplete: 'current-password' })
  )
  return [
    banner(state.words, 'bad'),
    ...(state.standing === 'failed'
      ? [h.label({ for: 'again-password' }, `Password of ${state.user}`), box]
      : []),
    h.div(
      { class: 'actions' },
      button(
        'Try again',
        () =>
          again(
            state.standing === 'failed'
              ? /** @type {HTMLInputElement} */ (document.getElementById('again-password')).value
              : undefined,
          ),
        { class: 'main' },
      ),
      button('Remove this server', () => send('/api/disconnect', { id: state.id })),
    ),
  ]
}
