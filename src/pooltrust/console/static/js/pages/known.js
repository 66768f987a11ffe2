// The servers that this console knows: see, export, import and forget them.
import { ask as send, get } from '../core/api.js'
import { answer, outdated } from '../core/asked.js'
import { h, name } from '../core/dom.js'
import { changed } from '../core/store.js'
import { ask, button, close, closing } from '../parts/dialog.js'
import { moment, shortThumb, thumb } from '../parts/pieces.js'
import { save, say } from '../parts/said.js'
import { table } from '../parts/table.js'
import { authorities } from './trust/authorities.js'

const again = () => {
  outdated('console', 'known')
  changed()
}

export function known() {
  const told = answer('console', 'known', () => get('/api/known'), 5000)
  const rows = told.value?.servers
  return [
    h.h1('Known servers'),
    h.p(
      'Each host is believed by exactly one certificate, whatever address it is reached by; or, where an authority vouched for it, by its name. The members of a pool are learned from its coordinator over a verified connection.',
    ),
    ...authorities(),
    h.h2('Servers'),
    told.fault ? h.p({ class: 'bad-text', role: 'alert' }, name(told.fault, 600)) : null,
    ...(rows
      ? table('known', 'Known servers', COLUMNS, rows, MORE)
      : told.fault
        ? []
        : [h.p({ class: 'busy' }, 'Reading what is known…')]),
    h.div(
      { class: 'actions' },
      button('Export', async () =>
        save('known-servers.json', JSON.stringify(await get('/api/known'), null, 2), 'application/json'),
      ),
      h.label({ class: 'inline' }, 'Import ', h.input({ type: 'file', accept: '.json', onchange: take })),
    ),
  ]
}

/** @param {any} event */
async function take(event) {
  try {
    const { known } = await send('/api/import', await event.target.files[0].text())
    say(`Imported: ${known} servers are known.`)
  } catch (why) {
    ask('That was not imported', [h.p(name(/** @type {Error} */ (why).message, 600))], [closing('Close')])
  }
  again()
}

/** @type {import('../parts/table.js').Column[]} */
const COLUMNS = [
  {
    key: 'name',
    label: 'Host',
    value: row => row.name,
    show: row => name(row.name, 60),
  },
  {
    key: 'places',
    label: 'Met at',
    value: row => row.places.join(' '),
    show: row => name(row.places.join(', '), 200),
  },
  {
    key: 'thumbprint',
    label: 'Thumbprint (SHA-256)',
    value: row => row.thumbprint,
    show: row => shortThumb(row.thumbprint),
  },
  {
    key: 'how',
    label: 'How it came to be trusted',
    value: row => row.how,
    grow: true,
  },
  { key: 'last', label: 'Last met', value: row => row.last_seen, show: row => moment(row.last_seen) },
  { key: 'do', label: 'Actions', value: () => '', show: row => button('Forget…', () => forget(row)) },
]

/** @type {import('../parts/table.js').More} */
const MORE = {
  row: row => ({ 'data-key': row.host }),
  search: row => `${row.host} ${row.pool}`,
  empty: 'No server is remembered. One is, once you choose Trust and remember at its first meeting.',
  details: row =>
    h.dl(
      { class: 'entries' },
      [
        ['Thumbprint (SHA-256)', thumb(row.thumbprint)],
        ['UUID of the host', h.span({ class: 'mono' }, row.host)],
        ['UUID of its pool', h.span({ class: 'mono' }, row.pool)],
        ['First met', moment(row.first_seen)],
        ['Last met', moment(row.last_seen)],
      ].map(([label, value]) => h.div(h.dt(label), h.dd(value))),
    ),
}

/** @param {any} row */
function forget(row) {
  ask(
    'Forget this server',
    [h.p('The next connection to ', h.strong(name(row.name)), ' is a first meeting again.')],
    [
      closing(),
      button(
        'Forget',
        async () => {
          try {
            await send('/api/forget', { hosts: [row.host] })
            close()
          } catch (why) {
            const words = name(/** @type {Error} */ (why).message, 600)
            ask('It was not forgotten', [h.p(words)], [closing('Close')])
          }
          again()
        },
        { class: 'danger' },
      ),
    ],
  )
}
