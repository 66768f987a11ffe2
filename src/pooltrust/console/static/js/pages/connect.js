// Adding a server, and what is seen of one while it is not connected.
import { ask as send, Failed } from '../core/api.js'
import { h, name } from '../core/dom.js'
import { ask, button, close, closing, typed } from '../parts/dialog.js'
import { banner } from '../parts/pieces.js'
import { go } from '../core/route.js'
import { notTaken } from './trust/judging.js'

export function addServer() {
  const field = (id, label, given) => [
    h.label({ for: id }, label),
    h.input({ id, autocomplete: 'off', spellcheck: 'false', ...given }),
  ]
  const fault = h.div({ role: 'alert', 'data-own': true })
  const connect = async () => {
    try {
      const { id } = await send('/api/connect', {
        address: typed('add-address'),
        user: typed('add-user'),
        password: typed('add-password'),
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

/** Between connections: why, how long it waits, and "now". @param {any} state */
export function between(state) {
  const seconds = Math.max(0, Math.ceil(state.until - Date.now() / 1000))
  const again = password =>
    tried(send('/api/now', { id: state.id, ...(password === undefined ? {} : { password }) }))
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
      button('Try again', () => again(state.standing === 'failed' ? typed('again-password') : undefined), {
        class: 'main',
      }),
      button('Remove this server', () => tried(send('/api/disconnect', { id: state.id }))),
    ),
  ]
}

/** @param {Promise<any>} asked */
const tried = asked => asked.catch(notTaken)
