// Tasks and operations, how far they are, and what can be done about them.
import { answer } from '../../core/asked.js'
import { call } from '../../core/api.js'
import { h, name } from '../../core/dom.js'
import { can, poolOf, whyNot } from '../../core/facts.js'
import { places } from '../../core/store.js'
import { when } from '../../core/words.js'
import { abandon, resume, stopped } from '../../actions/operations.js'
import { cancelButton } from '../../actions/tasks.js'
import { button } from '../../parts/dialog.js'
import { banner, chip } from '../../parts/pieces.js'

const METHOD = 'pooltrust.get_operations'
const SOON = 700
const SELDOM = 30000
const MOST = 200

/** What the pool's operations are: asked for often while one is under way. @param {string} id @param {any} place */
export function operationsOf(id, place) {
  if (!can(place, METHOD)) return []
  const under = Object.keys(poolOf(place)?.current_operations ?? {}).length > 0
  const told = answer(id, `${METHOD} `, () => call(id, METHOD), under ? SOON : SELDOM)
  return [...(told.value ?? [])].reverse()
}

/** On every page of a pool: what has stopped half-way, why, and what helps. @param {string} id @param {any} place */
export function suspended(id, place) {
  if (!Object.keys(poolOf(place)?.current_operations ?? {}).length) return []
  return operationsOf(id, place)
    .filter(stopped)
    .map(one =>
      h.div(
        { class: 'banner', role: 'status', 'data-key': `stopped ${one.id}` },
        h.p(
          h.strong(name(`${capital(one.title)} stopped`, 200)),
          `, begun ${when(one.began)} by `,
          name(one.by, 40),
          '.',
        ),
        h.p(name(reasonOf(one), 700)),
        h.p(
          { class: 'faint' },
          one.state === 'running'
            ? 'It is being tried again now.'
            : 'It is tried again by itself every few seconds, and at once when a member is back.',
        ),
        h.div({ class: 'actions' }, ...choices(id, one)),
      ),
    )
}

/** Why; the commands at its end are buttons here. @param {any} one */
const reasonOf = one => one.words.split(' Resume: xe ')[0]

const capital = text => text.charAt(0).toUpperCase() + text.slice(1)

/** @param {string} id @param {any} one */
function choices(id, one) {
  const why = whyNot(places.get(id), 'pooltrust.resume_operation')
  if (why) return [h.span({ class: 'faint' }, why)]
  return [
    button('Resume…', () => resume(id, one)),
    one.may_abandon === 'true'
      ? button('Abandon…', () => abandon(id, one))
      : h.span({ class: 'faint' }, 'It is past the point from where it could be taken back.'),
  ]
}

const STATUS = { success: 'good', failure: 'bad', cancelled: 'warn' }

/** @param {string} id @param {any} place */
export function tasks(id, place) {
  const all = [...place.objects.task.entries()].sort((a, b) => (b[1].created > a[1].created ? 1 : -1))
  return [
    h.h2('Tasks'),
    all.length
      ? h.ul(
          { class: 'plain rows' },
          all.slice(0, MOST).map(one => taskShown(id, one)),
        )
      : h.p({ class: 'faint' }, 'No tasks.'),
    ...operations(id, place),
  ]
}

/** @param {string} id @param {[string, any]} one */
const taskShown = (id, [ref, one]) =>
  h.li(
    { 'data-key': ref },
    chip({ words: one.status, tone: STATUS[one.status] ?? 'note' }),
    ' ',
    h.strong(name(one.name_label, 120)),
    `, ${when(one.created)} `,
    ['pending', 'cancelling'].includes(one.status)
      ? h.div(
          { class: 'actions' },
          h.progress({
            max: '1',
            value: one.progress,
            'aria-label': `Progress of ${one.name_label.slice(0, 60)}`,
          }),
          cancelButton(id, ref),
        )
      : one.error_info?.length
        ? h.span({ class: 'bad-text' }, name(one.error_info.join(' '), 300))
        : null,
  )

const TONES = { done: 'good', abandoned: 'warn', suspended: 'bad' }

/** @param {string} id @param {any} place */
function operations(id, place) {
  if (!can(place, METHOD)) return []
  const listed = operationsOf(id, place)
  return [
    h.h2('Operations of the pool'),
    listed.length
      ? h.ul(
          { class: 'plain rows' },
          listed.slice(0, MOST).map(one => operationShown(id, one)),
        )
      : h.p({ class: 'faint' }, 'None is under way.'),
  ]
}

/** @param {string} id @param {any} one */
const operationShown = (id, one) =>
  h.li(
    { 'data-key': one.id },
    chip({ words: one.state, tone: TONES[one.state] ?? 'note' }),
    ' ',
    h.strong(name(one.title, 200)),
    `${one.phase && !one.ended ? `, at “${one.phase}”` : ''}, by `,
    name(one.by, 40),
    `, ${when(one.began)}. `,
    stopped(one) ? banner(reasonOf(one).slice(0, 700)) : h.span({ class: 'faint' }, name(one.words, 700)),
    stopped(one) ? h.div({ class: 'actions' }, ...choices(id, one)) : null,
  )
