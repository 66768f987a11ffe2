// The members of a pool, and what can be done about them; its Workload Balancing connection.
import { h, name } from '../../core/dom.js'
import { can, certificatesOf, hosts, hostState, isCoordinator, thumbprint } from '../../core/facts.js'
import { to } from '../../core/route.js'
import { button } from '../../parts/dialog.js'
import { chip, shortThumb } from '../../parts/pieces.js'
import { table } from '../../parts/table.js'
import { assistant, code } from '../../actions/join.js'
import { eject, promote, refreshAll } from '../../actions/members.js'
import { balancing } from './balancing.js'

/** @param {string} id @param {any} place */
export function members(id, place) {
  const rows = hosts(place).map(([ref, host]) => ({
    ref,
    host,
    name: host.name_label,
    address: host.address,
    role: isCoordinator(place, ref) ? 'coordinator' : 'supporter',
    state: hostState(place, ref),
    internal: thumbprint(
      certificatesOf(place, ref).find(([, one]) => one.type === 'host_internal')?.[1] ?? {},
    ),
  }))
  return [
    h.h2('Members'),
    ...table(`members ${id}`, 'Members', columns(id), rows, { row: row => ({ 'data-key': row.ref }) }),
    h.div(
      { class: 'actions' },
      button('Join a host to this pool…', () => assistant(id)),
      can(place, 'pooltrust.create_join_code') ? button('Create a join code…', () => code(id)) : null,
      can(place, 'pooltrust.refresh_pool')
        ? button('Refresh every pool-internal identity…', () => refreshAll(id))
        : null,
    ),
    ...balancing(id, place),
  ]
}

/** @param {string} id @returns {import('../../parts/table.js').Column[]} */
const columns = id => [
  {
    key: 'name',
    label: 'Host',
    value: row => row.name,
    show: row => h.a({ href: to(id, 'host', row.host.uuid, 'general') }, name(row.name, 80)),
  },
  { key: 'role', label: 'Role', value: row => row.role },
  { key: 'address', label: 'Address', value: row => row.address, show: row => name(row.address, 80) },
  { key: 'state', label: 'State', value: row => row.state.words, show: row => chip(row.state) },
  {
    key: 'internal',
    label: 'Pool-internal identity',
    value: row => row.internal,
    show: row => shortThumb(row.internal),
  },
  {
    key: 'do',
    label: 'Actions',
    value: () => '',
    show: row =>
      row.role === 'coordinator'
        ? h.span({ class: 'faint' }, 'to eject it, hand over first')
        : h.div(
            { class: 'actions' },
            button('Make coordinator…', () => promote(id, row.ref)),
            button('Eject…', () => eject(id, row.ref)),
          ),
  },
]
