// The join assistant: both sides side by side, everything that is in the way with its cure, the plan as
// the joining host tells it after a look at the pool, and the join itself.
import { ask as send, call } from '../core/api.js'
import { h, name } from '../core/dom.js'
import { can, certificatesOf, hosts, poolName, poolOf, thumbprint } from '../core/facts.js'
import { places } from '../core/store.js'
import { ask, button, closing, turn, typed } from '../parts/dialog.js'
import { banner, thumb } from '../parts/pieces.js'
import { copy } from '../parts/said.js'
import { act, carryOut, failed, planShown } from './act.js'
import { enable } from './certificates.js'

/** @typedef {{id: string, joiner: string, pool: any, other: any, title: string}} Sides */

/** Which of the connected servers is to join. @param {string} id */
export function assistant(id) {
  const pool = /** @type {any} */ (places.get(id))
  const title = `Join a host to ${poolName(pool).slice(0, 80)}`
  const candidates = [...places].filter(
    ([other, place]) => other !== id && place.state.standing === 'connected' && poolOf(place),
  )
  if (!candidates.length) return nobodyThere(id, pool, title)
  ask(
    title,
    [
      h.p('Which host is to join?'),
      h.div(
        { class: 'actions' },
        candidates.map(([other, place]) => button(poolName(place).slice(0, 60), () => compare(id, other))),
      ),
    ],
    [closing()],
  )
}

/** @param {string} id @param {any} pool @param {string} title */
function nobodyThere(id, pool, title) {
  const codes = can(pool, 'pooltrust.create_join_code')
  const words = 'Add the host that is to join as a server first: it is asked to join from its own side.'
  ask(
    title,
    [
      h.p(words),
      codes
        ? h.p('Or create a join code here, and use it on that host: ', h.code('xe pool-join-with-code'))
        : null,
    ],
    [closing('Close'), codes ? button('Create a join code…', () => code(id), { class: 'main' }) : ''],
  )
}

/** @param {string} id @param {string} joiner */
async function compare(id, joiner) {
  const pool = /** @type {any} */ (places.get(id))
  const other = /** @type {any} */ (places.get(joiner))
  if (!pool || !other) return
  const title = `Join ${poolName(other).slice(0, 50)} to ${poolName(pool).slice(0, 50)}`
  const sides = { id, joiner, pool, other, title }
  ask(title, [h.p({ class: 'busy' }, 'The joining host looks at the pool…')], [closing()])
  const asked = turn()
  const plan = await planOf(sides)
  if (turn() !== asked) return // the person has gone on
  const found = blockers(sides, plan)
  const codes = can(pool, 'pooltrust.create_join_code') && can(other, 'pooltrust.join_with_code')
  ask(
    title,
    [
      bothSides(sides),
      ...inTheWay(found),
      ...planShown({ ...plan, blockers: null }),
      ...(found.length ? [] : whatFollows(codes)),
    ],
    [
      closing(),
      button('Look again', () => compare(id, joiner)),
      found.length
        ? ''
        : button('Join', () => (codes ? byCode(sides) : byPassword(sides)), { class: 'main' }),
    ],
  )
}

/** What the joining host says after a look at the pool; who can't say it is asked nothing. @param {Sides} sides */
async function planOf({ joiner, pool, other }) {
  if (!can(other, 'pooltrust.get_join_plan')) return {}
  try {
    return JSON.parse(await call(joiner, 'pooltrust.get_join_plan', addressOf(pool)))
  } catch (why) {
    return { failed: /** @type {Error} */ (why).message }
  }
}

/** Where the joining host finds the coordinator. @param {any} pool */
function addressOf(pool) {
  const { address } = pool.objects.host.get(poolOf(pool).master) ?? { address: pool.state.address }
  if (pool.state.port === 443) return address
  return address.includes(':') ? `[${address}]:${pool.state.port}` : `${address}:${pool.state.port}`
}

/** @param {Sides} sides */
function bothSides({ pool, other }) {
  const both = [
    ['The pool’s coordinator', pool, poolOf(pool).master],
    ['The joining host', other, poolOf(other).master],
  ]
  const headings = ['Side', 'Certificate Verification', 'Pool-internal identity']
  return h.div(
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Both sides' },
    h.table(
      h.caption({ class: 'hidden-label' }, 'Both sides'),
      h.thead(h.tr(headings.map(one => h.th({ scope: 'col' }, one)))),
      h.tbody(
        both.map(([label, place, ref]) =>
          h.tr(
            h.th({ scope: 'row' }, label, ': ', name(place.objects.host.get(ref)?.name_label, 60)),
            h.td(poolOf(place).tls_verification_enabled ? 'Enabled' : 'Disabled'),
            h.td(thumb(internalOf(place, ref))),
          ),
        ),
      ),
    ),
  )
}

/** @param {any} place @param {string} ref */
const internalOf = (place, ref) =>
  thumbprint(certificatesOf(place, ref).find(([, one]) => one.type === 'host_internal')?.[1] ?? {})

/** Everything that is in the way, of both sides. @param {Sides} sides @param {any} plan */
function blockers({ id, joiner, pool, other }, plan) {
  const found = []
  const [here, there] = [poolOf(pool), poolOf(other)].map(one => one.tls_verification_enabled)
  if (here !== there) {
    const [side, which] = here ? ['the joining host', joiner] : ['the pool', id]
    found.push({
      words: `Certificate verification is off at ${side}, and on at the other side.`,
      cure: button('Enable Certificate Verification', () => enable(which)),
    })
  }
  if (hosts(other).length > 1 && !plan.blockers)
    found.push({ words: 'The joining host is in a pool of several hosts.', cure: 'Eject it there first.' })
  if (poolOf(pool).ha_enabled)
    found.push({ words: 'High availability is on in the pool.', cure: 'Disable it first.' })
  if (plan.failed)
    found.push({ words: name(`The joining host could not look at the pool: ${plan.failed}`, 800), cure: '' })
  // What the two tables of verification say already is said once, with its button.
  const others = (plan.blockers ?? []).filter(one => here === there || !ofVerification(one))
  return [...found, ...others.map(one => ({ words: name(one.words, 800), cure: name(one.cure, 400) }))]
}

/** @param {any} blocker */
const ofVerification = blocker => `${blocker.words} ${blocker.cure}`.includes('pool-enable-tls-verification')

/** @param {any[]} found */
const inTheWay = found =>
  found.length
    ? [
        banner(
          'Not ready. In its way:',
          'bad',
          h.ul(
            { class: 'plain' },
            found.map(one => h.li(one.words, ' ', one.cure)),
          ),
        ),
      ]
    : [banner('Ready: nothing is in its way.', 'good')]

/** @param {boolean} codes */
const whatFollows = codes => [
  h.p(
    codes
      ? 'The host joins by a code that is made for this: each side knows which certificate to expect of the other. '
      : 'The two sides have no join codes: the host is given a password of the pool, and trusts the coordinator that it meets. Compare the thumbprints above. ',
    'Its own pool ends; its clients, this console included, find it as a member of the other pool.',
  ),
]

/** @param {Sides} sides */
async function byCode(sides) {
  try {
    const secret = await call(sides.id, 'pooltrust.create_join_code', 600)
    await carryOut(joining(sides, 'pooltrust.join_with_code', [secret]))
  } catch (why) {
    failed(joining(sides, 'pooltrust.join_with_code', ['']), why)
  }
}

/** As hosts without join codes join. @param {Sides} sides */
function byPassword(sides) {
  const send = () =>
    carryOut(joining(sides, 'pool.join', [addressOf(sides.pool), typed('join-user'), typed('join-password')]))
  ask(
    sides.title,
    [
      h.p('An administrator of the pool, whom the joining host logs in as, once:'),
      h.label({ for: 'join-user' }, 'User of the pool'),
      h.input({ id: 'join-user', autocomplete: 'off', value: sides.pool.state.user }),
      h.label({ for: 'join-password' }, 'Password'),
      h.input({ id: 'join-password', type: 'password', autocomplete: 'off' }),
    ],
    [closing(), button('Join', send, { class: 'main' })],
  )
}

/** @param {Sides} sides @param {string} method @param {string[]} parameters @returns {import('./act.js').Action} */
function joining({ id, joiner, other, title }, method, parameters) {
  const own = hosts(other)[0][1].uuid
  const there = () => hosts(/** @type {any} */ (places.get(id))).some(([, host]) => host.uuid === own)
  return {
    id: joiner,
    title,
    method,
    parameters,
    confirm: 'Join',
    again: () => compare(id, joiner),
    seen: there,
    done: () => joined(joiner),
  }
}

/** It is seen as a member from now on, not on its own. @param {string} joiner */
function joined(joiner) {
  send('/api/disconnect', { id: joiner })
  return [h.p('It is a member of that pool now, and is seen there.')]
}

/** A secret that admits one host. @param {string} id */
export function code(id) {
  act({
    id,
    title: 'Create a join code',
    method: 'pooltrust.create_join_code',
    parameters: [3600],
    confirm: 'Create',
    warning: [
      h.p(
        'One host can join this pool with it, once, within an hour. It says where the pool is and which certificate to expect there, so that the joiner trusts nobody unseen. It is a secret.',
      ),
    ],
    done: text => [
      h.label({ for: 'join-code' }, 'The code'),
      h.textarea({ id: 'join-code', readonly: true, value: text }, text),
      button('Copy', () => copy(text)),
      h.p('On the host that is to join, which asks for it unseen: ', h.code('xe pool-join-with-code')),
    ],
  })
}
