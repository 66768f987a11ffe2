// The pool's connection to Workload Balancing, which hosts verify like anybody else.
import { call } from '../../core/api.js'
import { h, name } from '../../core/dom.js'
import { can, poolOf } from '../../core/facts.js'
import { when } from '../../core/words.js'
import { act, failed } from '../../actions/act.js'
import { ask, button, closing, goingOn, typed } from '../../parts/dialog.js'
import { banner, chip, thumb } from '../../parts/pieces.js'

/** @param {string} id @param {any} place */
export function balancing(id, place) {
  const pool = poolOf(place)
  if (!can(place, 'pool.initialize_wlb')) return []
  const connected = Boolean(pool.wlb_url)
  return [
    h.h2('Workload Balancing'),
    h.p(
      connected
        ? ['Connected to ', name(pool.wlb_url, 200), ' as ', name(pool.wlb_username, 60), ' ']
        : 'No appliance is connected. ',
      connected
        ? chip(
            pool.wlb_verify_cert
              ? { words: 'its certificate is verified', tone: 'good' }
              : { words: 'its certificate is not verified', tone: 'bad' },
          )
        : null,
    ),
    h.div(
      { class: 'actions' },
      can(place, 'pooltrust.pin_wlb_certificate') ? button('Look at its certificate…', () => look(id)) : null,
      button(connected ? 'Connect another…' : 'Connect…', () => connect(id)),
      connected
        ? button('Disconnect…', () =>
            act({
              id,
              title: 'Disconnect Workload Balancing',
              method: 'pool.deconfigure_wlb',
              parameters: [],
              confirm: 'Disconnect',
              danger: true,
            }),
          )
        : null,
    ),
  ]
}

/** Fetch, show, confirm, pin. @param {string} id */
function look(id) {
  const title = 'The appliance’s certificate'
  ask(
    title,
    [h.label({ for: 'wlb-url' }, 'Address:port'), h.input({ id: 'wlb-url', autocomplete: 'off' })],
    [closing(), button('Look', () => found(id, title, typed('wlb-url')), { class: 'main' })],
  )
}

/** @param {string} id @param {string} title @param {string} url */
async function found(id, title, url) {
  const action = {
    id,
    title,
    method: 'pooltrust.pin_wlb_certificate',
    parameters: [url, ''],
    confirm: 'Trust exactly this certificate',
  }
  try {
    const met = await call(id, action.method, url, '')
    const rows = [
      ['Subject', met.subject],
      ['Issuer', met.issuer],
      ['Names', met.names],
      ['Valid to', when(met.not_after)],
    ]
    ask(
      title,
      [
        h.p('Compare it with the one that the appliance’s own console shows. Nothing was said to it.'),
        thumb(met.thumbprint, true),
        h.dl(
          { class: 'entries' },
          rows.map(([label, value]) => h.div(h.dt(label), h.dd(name(value, 300)))),
        ),
      ],
      [
        closing(),
        button(
          'Trust exactly this certificate',
          () => act({ ...action, parameters: [url, met.thumbprint] }),
          { class: 'main' },
        ),
      ],
    )
  } catch (why) {
    failed(action, why)
  }
}

/** @param {string} id */
function connect(id) {
  const field = (key, label, given = {}) => [
    h.label({ for: key }, label),
    h.input({ id: key, autocomplete: 'off', ...given }),
  ]
  ask(
    'Connect Workload Balancing',
    [
      banner(
        'Its certificate must be installed in the pool first: see Trusted certificates. The host sends it a password only after it has verified it.',
      ),
      ...field('wlb-url', 'Address:port'),
      ...field('wlb-user', 'User there'),
      ...field('wlb-password', 'Password there', { type: 'password' }),
      ...field('wlb-own-user', 'User of this pool for the appliance', { value: 'root' }),
      ...field('wlb-own-password', 'Its password', { type: 'password' }),
    ],
    goingOn(() =>
      act({
        id,
        title: 'Connect Workload Balancing',
        method: 'pool.initialize_wlb',
        confirm: 'Connect',
        parameters: [
          typed('wlb-url'),
          typed('wlb-user'),
          typed('wlb-password'),
          typed('wlb-own-user'),
          typed('wlb-own-password'),
        ],
      }),
    ),
  )
}
