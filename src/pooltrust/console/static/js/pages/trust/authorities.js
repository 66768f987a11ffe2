// The authorities that this console believes: see, give, export and remove them.
import { ask as send, get } from '../../core/api.js'
import { answer, outdated } from '../../core/asked.js'
import { h, name } from '../../core/dom.js'
import { changed } from '../../core/store.js'
import { some } from '../../core/words.js'
import { ask, button, close, closing, typed } from '../../parts/dialog.js'
import { daysBar, shortThumb, thumb, validity } from '../../parts/pieces.js'
import { save, say } from '../../parts/said.js'
import { table } from '../../parts/table.js'

const again = () => {
  outdated('console', '')
  changed()
}

export function authorities() {
  const told = answer('console', 'authorities', () => get('/api/authorities'), 5000)
  const rows = told.value?.authorities ?? []
  return [
    h.h2('Authorities that this console believes'),
    h.p(
      'A server whose certificate one of them issued for the very name that you type, and that is in date, needs no question. There is none until you give one: no list of a system or browser counts here.',
    ),
    told.fault ? h.p({ class: 'bad-text', role: 'alert' }, name(told.fault, 600)) : null,
    ...(rows.length
      ? table('authorities', 'Authorities', COLUMNS, rows, {
          row: row => ({ 'data-key': row.thumbprint }),
          details: row => h.dl({ class: 'entries' }, facts(row)),
        })
      : []),
    h.div({ class: 'actions' }, button('Give an authority…', give)),
  ]
}

/** @type {import('../../parts/table.js').Column[]} */
const COLUMNS = [
  { key: 'subject', label: 'Authority', value: row => row.subject, show: row => name(row.subject, 120) },
  {
    key: 'thumbprint',
    label: 'Thumbprint (SHA-256)',
    value: row => row.thumbprint,
    show: row => shortThumb(row.thumbprint),
  },
  {
    key: 'left',
    label: 'Days left',
    value: row => row.days_left,
    show: row => daysBar(row.not_before, row.not_after),
  },
  {
    key: 'hosts',
    label: 'Servers by its word',
    value: row => row.hosts.length,
    show: row => name(row.hosts.length ? some(row.hosts, 4) : 'none yet', 300),
  },
  {
    key: 'do',
    label: 'Actions',
    value: () => '',
    show: row => [
      button('Export PEM', () => save(`authority-${row.thumbprint.slice(0, 8)}.pem`, row.pem)),
      button('Remove…', () => remove(row)),
    ],
  },
]

/** @param {any} row */
const facts = row =>
  [
    ['Subject', name(row.subject, 300)],
    ['Issuer', row.self_signed ? 'itself (a root)' : name(row.issuer, 300)],
    ['Thumbprint (SHA-256)', thumb(row.thumbprint)],
    ['Validity', validity(row.not_before, row.not_after)],
    ['Key', row.key],
  ].map(([label, value]) => h.div(h.dt(label), h.dd(value)))

function give() {
  const fault = h.div({ role: 'alert', 'data-own': true })
  /** @param {Blob|string} offered */
  const looked = async offered => {
    try {
      confirm(offered, (await send('/api/authorities/look', offered)).authorities)
    } catch (why) {
      fault.replaceChildren(h.p({ class: 'field-error' }, name(/** @type {Error} */ (why).message, 600)))
    }
  }
  ask(
    'Give an authority',
    [
      h.p('Its certificate, in PEM or DER. You see what it is before anything is believed.'),
      h.label({ for: 'authority-file' }, 'File'),
      h.input({
        id: 'authority-file',
        type: 'file',
        accept: '.pem,.crt,.cer,.der',
        onchange: event => {
          const [file] = event.target.files
          event.target.value = '' // the same file may be chosen again once it is another
          if (file) looked(file)
        },
      }),
      h.label({ for: 'authority-text' }, 'Or paste it as PEM'),
      h.textarea({ id: 'authority-text', class: 'mono wide', rows: 6, spellcheck: 'false' }),
      fault,
    ],
    [closing(), button('Look at it', () => looked(typed('authority-text').trim()), { class: 'main' })],
  )
}

/** @param {Blob|string} offered @param {any[]} found */
function confirm(offered, found) {
  const several = found.length > 1
  ask(
    several ? `Believe ${found.length} authorities` : 'Believe this authority',
    [
      h.p(
        'From now on a server is believed without a question if its certificate, in date, was issued by ',
        several ? 'one of these' : 'this one',
        ' for the very name that you type; and its renewals are followed. Whoever can have certificates issued there can be any server that you have not met yet. Compare the thumbprint with one that you were given another way.',
      ),
      ...found.slice(0, 20).map(row => h.dl({ class: 'entries sheet' }, facts(row))),
      several && found.length > 20 ? h.p(`and ${found.length - 20} more`) : null,
    ],
    [
      closing(),
      button(
        several ? 'Believe them' : 'Believe it',
        async () => {
          try {
            const { believed } = await send('/api/authorities/believe', offered)
            close()
            say(`Believed: ${some(believed, 3)}`)
          } catch (why) {
            refused(why)
          }
          again()
        },
        { class: 'main' },
      ),
    ],
  )
}

/** @param {any} row */
function remove(row) {
  ask(
    'Remove this authority',
    [
      h.p(h.strong(name(row.subject, 200)), ' is not believed any more.'),
      h.p(
        row.hosts.length
          ? `Forgotten with it are the servers that are known by its word (${some(row.hosts)}) and those that their pools told of: each is met for the first time again. What is connected now stays so until it connects again.`
          : 'No server is known by its word.',
      ),
    ],
    [
      closing(),
      button(
        'Remove',
        async () => {
          try {
            const { forgotten } = await send('/api/authorities/remove', { thumbprint: row.thumbprint })
            close()
            say(`Removed; ${forgotten} servers are forgotten.`)
          } catch (why) {
            refused(why)
          }
          again()
        },
        { class: 'danger' },
      ),
    ],
  )
}

/** @param {unknown} why */
const refused = why =>
  ask('That was not done', [h.p(name(/** @type {Error} */ (why).message, 600))], [closing('Close')])
