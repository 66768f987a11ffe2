// Authorities, pinned certificates and revocation lists of a pool.
import { answerOf, outdated } from '../../core/asked.js'
import { h, name } from '../../core/dom.js'
import { anchorsOf, can, poolRef, thumbprint, TYPES } from '../../core/facts.js'
import { act } from '../../actions/act.js'
import { trust } from '../../actions/trusted.js'
import { button } from '../../parts/dialog.js'
import { daysBar, shortThumb, thumb, validity } from '../../parts/pieces.js'
import { table } from '../../parts/table.js'

/** @param {string} id @param {any} place */
export function trusted(id, place) {
  const rows = anchorsOf(place).map(([ref, one]) => ({
    ref,
    one,
    name: one.name || '(by purpose)',
    type: TYPES[one.type] ?? one.type,
    purpose: (one.purpose ?? []).join(', ') || 'any',
    thumbprint: thumbprint(one),
  }))
  const lists = can(place, 'pool.crl_list') ? (answerOf(id, 'pool.crl_list').value ?? []) : []
  return [
    h.h2('Trusted certificates'),
    h.p(
      'Whom the hosts of this pool believe when they connect to appliances. Members are believed by exactly their own certificates.',
    ),
    ...table(`trusted ${id}`, 'Trusted certificates', columns(id, place), rows, {
      row: row => ({ 'data-key': row.ref }),
      sort: 'days',
      empty: 'No CA certificate is installed, and none is pinned.',
      details: row =>
        h.dl(
          { class: 'entries' },
          h.div(h.dt('Valid'), h.dd(validity(row.one.not_before, row.one.not_after))),
          h.div(h.dt('Thumbprint (SHA-256)'), h.dd(thumb(row.thumbprint))),
        ),
    }),
    h.div(
      { class: 'actions' },
      button('Install a CA certificate…', () => trust(id, 'authority')),
      can(place, 'pool.install_trusted_certificate')
        ? button('Pin a certificate…', () => trust(id, 'pinned'))
        : null,
      button('Bring to every member', () =>
        act({
          id,
          title: 'Bring certificates and lists to every member',
          method: 'pool.certificate_sync',
          parameters: [],
          confirm: 'Bring',
          warning: [
            h.p(
              'That is done by itself after each change. Done once more, it says which member lacks something still. Nothing is removed anywhere.',
            ),
          ],
        }),
      ),
    ),
    h.h2('Revocation lists'),
    lists.length
      ? h.ul(
          { class: 'plain' },
          lists.map(one =>
            h.li(
              { 'data-key': one },
              name(one, 120),
              ' ',
              button('Remove…', () =>
                act({
                  id,
                  title: 'Remove a revocation list',
                  method: 'pool.crl_uninstall',
                  parameters: [one],
                  confirm: 'Remove',
                  danger: true,
                  warning: [
                    h.p(h.strong(name(one, 120)), ' is removed from every member.'),
                    h.p(
                      'Certificates that no other list names are believed again, from the next connection on.',
                    ),
                  ],
                  done: () => {
                    outdated(id)
                    return []
                  },
                }),
              ),
            ),
          ),
        )
      : h.p({ class: 'faint' }, 'None is installed.'),
    h.div(
      { class: 'actions' },
      button('Install a revocation list…', () => trust(id, 'crl')),
    ),
  ]
}

/** @param {string} id @param {any} place @returns {import('../../parts/table.js').Column[]} */
const columns = (id, place) => [
  { key: 'name', label: 'Name', value: row => row.name, show: row => name(row.name, 90) },
  {
    key: 'type',
    label: 'Type',
    value: row => row.type,
    show: row => h.span({ class: 'keep' }, row.type.replace(/ certificate$/, '')),
  },
  { key: 'purpose', label: 'For', value: row => row.purpose },
  {
    key: 'days',
    label: 'Days left',
    value: row => row.one.not_after,
    show: row => daysBar(row.one.not_before, row.one.not_after),
  },
  {
    key: 'thumbprint',
    label: 'Thumbprint (SHA-256)',
    value: row => row.thumbprint,
    show: row => shortThumb(row.thumbprint),
  },
  {
    key: 'do',
    label: 'Actions',
    value: () => '',
    show: row =>
      button('Remove…', () =>
        act({
          id,
          title: 'Trust this certificate no longer',
          confirm: 'Remove',
          danger: true,
          warning: [h.p('Appliances that are believed by it are refused from the next connection on.')],
          ...(row.one.name || !can(place, 'pool.uninstall_trusted_certificate')
            ? { method: 'pool.uninstall_ca_certificate', parameters: [row.one.name] }
            : { method: 'pool.uninstall_trusted_certificate', parameters: [poolRef(place), row.ref] }),
        }),
      ),
  },
]
