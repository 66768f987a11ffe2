// Users with their roles, and who is logged in.
import { answerOf, outdated } from '../../core/asked.js'
import { h, name } from '../../core/dom.js'
import { can } from '../../core/facts.js'
import { act } from '../../actions/act.js'
import { ask, button, goingOn, typed } from '../../parts/dialog.js'
import { banner, moment } from '../../parts/pieces.js'
import { table } from '../../parts/table.js'

/** @param {string} id @param {any} place */
export function users(id, place) {
  if (!can(place, 'pooltrust.get_users')) return [h.h2('Users and roles'), ...subjects(place)]
  const told = answerOf(id, 'pooltrust.get_users')
  const sessions = answerOf(id, 'pooltrust.get_sessions')
  return [
    h.h2('Users and roles'),
    told.fault ? banner(told.fault, 'bad') : null,
    ...(told.value ? table(`users ${id}`, 'Users', userColumns(id, place), told.value) : reading(told)),
    h.div(
      { class: 'actions' },
      button('Add user…', () => add(id, place)),
    ),
    h.h2('Sessions'),
    sessions.fault ? banner(sessions.fault, 'bad') : null,
    ...(sessions.value
      ? table(`sessions ${id}`, 'Sessions', sessionColumns(id), sessions.value, {
          row: row => ({ 'data-key': row.uuid }),
        })
      : reading(sessions)),
  ]
}

/** @param {any} told */
const reading = told => (told.fault ? [] : [h.p({ class: 'busy' }, 'Reading…')])

/** @param {any} place */
const subjects = place => [
  h.ul(
    { class: 'plain' },
    [...place.objects.subject.values()].map(one =>
      h.li(
        name(one.other_config?.['subject-name'] ?? one.subject_identifier, 120),
        ': ',
        one.roles.map(ref => place.objects.role.get(ref)?.name_label ?? '?').join(', '),
      ),
    ),
  ),
]

const roles = place =>
  [...place.objects.role.values()].map(one => one.name_label).filter(one => /^(pool|vm|read)-/.test(one))

/** @param {string} id @param {any} place @returns {import('../../parts/table.js').Column[]} */
const userColumns = (id, place) => [
  { key: 'name', label: 'User', value: row => row.name, show: row => name(row.name, 80) },
  {
    key: 'roles',
    label: 'Roles',
    value: row => row.roles || (row.name === 'root' ? 'may do everything' : 'none: can’t log in'),
  },
  {
    key: 'do',
    label: 'Actions',
    value: () => '',
    show: row =>
      row.name === 'root'
        ? ''
        : h.div(
            { class: 'actions' },
            button('Set password…', () => password(id, row)),
            button('Remove…', () =>
              act({
                id,
                title: `Remove the user ${row.name.slice(0, 60)}`,
                method: 'pooltrust.destroy_user',
                parameters: [row.name],
                confirm: 'Remove',
                danger: true,
                warning: [h.p('Its sessions end.')],
                done: () => again(id),
              }),
            ),
          ),
  },
]

/** @param {string} id */
const again = id => {
  outdated(id)
  return []
}

/** @param {string} id @returns {import('../../parts/table.js').Column[]} */
const sessionColumns = id => [
  { key: 'user', label: 'User', value: row => row.user, show: row => name(row.user, 80) },
  { key: 'address', label: 'From', value: row => row.address || 'the host itself' },
  { key: 'originator', label: 'Client', value: row => row.originator, show: row => name(row.originator, 60) },
  { key: 'opened', label: 'Opened', value: row => row.opened, show: row => moment(row.opened) },
  {
    key: 'last_active',
    label: 'Last used',
    value: row => row.last_active,
    show: row => moment(row.last_active),
  },
  {
    key: 'do',
    label: 'Actions',
    value: () => '',
    show: row =>
      button('End…', () =>
        act({
          id,
          title: `End a session of ${row.user.slice(0, 60)}`,
          method: 'pooltrust.end_session',
          parameters: [row.uuid],
          confirm: 'End it',
          warning: [
            h.p(
              'The client ',
              name(row.originator || 'without a name', 60),
              ` from ${row.address || 'the host itself'} has to log in again. Operations that it began go on.`,
            ),
          ],
          danger: true,
          done: () => again(id),
        }),
      ),
  },
]

/** @param {string} id @param {any} place */
function add(id, place) {
  ask(
    'Add user',
    [
      h.label({ for: 'user-name' }, 'Name'),
      h.input({ id: 'user-name', autocomplete: 'off' }),
      h.label({ for: 'user-password' }, 'Password'),
      h.input({ id: 'user-password', type: 'password', autocomplete: 'new-password' }),
      h.label({ for: 'user-role' }, 'Role'),
      h.select(
        { id: 'user-role' },
        roles(place)
          .reverse()
          .map(one => h.option({ value: one }, one)),
      ),
    ],
    goingOn(() =>
      act({
        id,
        title: 'Add user',
        warning: [
          h.p(
            h.strong(name(typed('user-name'), 80)),
            ' may log in to this pool from now on, as ',
            name(typed('user-role'), 40),
            '.',
          ),
        ],
        method: 'pooltrust.create_user',
        parameters: [typed('user-name'), typed('user-password'), typed('user-role')],
        confirm: 'Add',
        done: () => again(id),
      }),
    ),
  )
}

/** @param {string} id @param {any} row */
function password(id, row) {
  ask(
    `Set the password of ${row.name.slice(0, 60)}`,
    [
      h.label({ for: 'user-password' }, 'New password'),
      h.input({ id: 'user-password', type: 'password', autocomplete: 'new-password' }),
    ],
    goingOn(() =>
      act({
        id,
        title: 'Set a password',
        method: 'pooltrust.set_password',
        parameters: [row.name, typed('user-password')],
        confirm: 'Set',
        warning: [h.p('Its sessions end.')],
      }),
    ),
  )
}
