// A certificate that is to be judged: at a first meeting, or because it has changed.
import { ask as send } from '../../core/api.js'
import { h, name } from '../../core/dom.js'
import { plainThumbprint, when } from '../../core/words.js'
import { ask, button, closing } from '../../parts/dialog.js'
import { thumb, validity } from '../../parts/pieces.js'

/** @param {any} state @param {string} answer */
async function say(state, answer) {
  try {
    await send('/api/answer', { id: state.id, answer, thumbprint: state.met.thumbprint })
  } catch (why) {
    notTaken(why)
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

const VERDICTS = {
  expected: 'Expected.',
  proven: 'Proven.',
  plausible: 'Plausible, not proven.',
  hostile: 'Hostile, as far as it can be seen.',
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
    h.div(
      { class: `banner ${{ hostile: 'bad', proven: 'good' }[kind] ?? ''}` },
      h.p(h.strong(VERDICTS[kind] ?? kind), ' ', name(words, 900)),
    ),
    h.p(
      'Nothing has been sent to it. Known as ',
      h.strong(name(state.old.name)),
      `, first seen ${when(state.old.first_seen)}, last seen ${when(state.old.last_seen)}; ${state.old.how}.`,
    ),
    h.div(
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'The certificate before and now' },
      h.table(
        { class: 'compared' },
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
        class: { hostile: 'danger', plausible: '' }[kind] ?? 'main',
      }),
    ),
  ]
}

/** @param {any} why */
export const notTaken = why => ask('That was not taken', [h.p(name(why.message, 600))], [closing('Close')])
