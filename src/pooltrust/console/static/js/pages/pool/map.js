// Who verifies whom, from handshakes that were really made: each host is asked to connect to every
// member and to say whom it met.
import { answerOf, outdated } from '../../core/asked.js'
import { h, name } from '../../core/dom.js'
import { can, hosts, thumbprint } from '../../core/facts.js'
import { changed } from '../../core/store.js'
import { when } from '../../core/words.js'
import { ask, button, closing } from '../../parts/dialog.js'
import { chip, thumb } from '../../parts/pieces.js'

/** @param {string} id @param {any} place */
export function map(id, place) {
  if (!can(place, 'pooltrust.probe_members'))
    return [h.h2('Trust map'), h.p('This pool can’t be asked who verifies whom.')]
  const all = hosts(place)
  const seen = new Map(all.map(([ref]) => [ref, answerOf(id, 'pooltrust.probe_members', ref)]))
  const good = all
    .flatMap(([ref]) => seen.get(ref)?.value ?? [])
    .filter(one => one.verified === 'true').length
  return [
    h.h2('Trust map'),
    h.p(
      'Row: who connected. Column: whom it was to meet. Every cell is a handshake that was made, under the name of the pool, with the certificate it met.',
    ),
    h.p({ role: 'status' }, `${good} of ${all.length * all.length} verified.`),
    h.div(
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Trust map' },
      h.table(
        { class: 'map' },
        h.caption({ class: 'hidden-label' }, 'Members: who verifies whom'),
        h.thead(
          h.tr(
            h.td('from \\ to'),
            all.map(([, host]) => h.th({ scope: 'col' }, name(host.name_label, 24))),
          ),
        ),
        h.tbody(
          all.map(([ref, host]) =>
            h.tr(
              { 'data-key': ref },
              h.th({ scope: 'row' }, name(host.name_label, 24)),
              all.map(([to]) => cell(place, ref, to, seen.get(ref))),
            ),
          ),
        ),
      ),
    ),
    h.div(
      { class: 'actions' },
      button('Probe again', () => {
        outdated(id, 'pooltrust.probe_members')
        changed()
      }),
    ),
    h.h2('Other endpoints'),
    clients(place),
  ]
}

/** @param {any} place @param {string} from @param {string} to @param {any} row */
function cell(place, from, to, row) {
  if (row?.fault) return h.td({ title: row.fault }, chip({ words: 'not asked', tone: 'bad' }))
  const one = row?.value?.find(it => it.host === to)
  if (!one) return h.td(h.span({ class: 'faint' }, row?.value ? 'nothing told' : '…'))
  const good = one.verified === 'true'
  const words = good ? 'verified' : one.met ? 'REFUSED' : 'nobody'
  const label = `${nameOf(place, from)} to ${nameOf(place, to)}: ${words}`
  return h.td(
    h.button(
      {
        type: 'button',
        class: `plain ${good ? 'good' : 'bad'}-text`,
        'aria-label': label,
        onclick: () => told(place, from, one, words),
      },
      `${good ? '●' : '■'} ${words}`,
    ),
  )
}

const nameOf = (place, ref) => (place.objects.host.get(ref)?.name_label ?? 'a host').slice(0, 60)

/** @param {any} place @param {string} from @param {any} one @param {string} words */
function told(place, from, one, words) {
  ask(
    `${nameOf(place, from)} to ${nameOf(place, one.host)}`,
    [
      h.dl(
        { class: 'entries' },
        [
          ['Outcome', words],
          ['When', when(one.at)],
          ['At', name(one.address)],
          ['TLS version', one.tls_version || 'none'],
          ['Met', one.met ? thumb(one.met) : 'nobody'],
          ['Reason', name(one.reason || 'it is exactly the certificate that the roster accepts', 600)],
          ['Cure', name(one.cure || 'none is needed', 600)],
        ].map(([label, value]) => h.div(h.dt(label), h.dd(value))),
      ),
    ],
    [closing('Close')],
  )
}

/** @param {any} place */
function clients(place) {
  const pool = [...place.objects.pool.values()][0]
  const rows = [
    [
      'This console → ' + (place.state.reached || place.state.address),
      'verified',
      `pinned, ${place.state.tls_version}`,
    ],
    [
      'Hosts → Workload Balancing',
      pool.wlb_url ? (pool.wlb_verify_cert ? 'verified' : 'not verified') : 'not used',
      pool.wlb_url || 'no appliance is connected',
    ],
    [
      'API clients → hosts',
      'by their own rules',
      [...place.objects.certificate.values()]
        .filter(one => one.type === 'host')
        .map(one => thumbprint(one).slice(0, 11) + '…')
        .slice(0, 4)
        .join(' '),
    ],
    [
      'Clients by certificate',
      pool.client_certificate_auth_enabled ? 'asked for' : 'not asked for',
      pool.client_certificate_auth_name || '',
    ],
    ['Conversion Manager', 'exempt', 'hosts never connect to it'],
  ]
  return h.div(
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Other endpoints' },
    h.table(
      h.caption({ class: 'hidden-label' }, 'Other endpoints'),
      h.thead(h.tr(['Endpoint', 'Verification', 'More'].map(one => h.th({ scope: 'col' }, one)))),
      h.tbody(
        rows.map(([kind, state, words]) =>
          h.tr(h.th({ scope: 'row' }, name(kind, 100)), h.td(state), h.td(name(words, 200))),
        ),
      ),
    ),
  )
}
