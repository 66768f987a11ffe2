// Tasks and operations, how far they are, and what can be done about them.
import { call } from '../../core/api.js'
import { answerOf, outdated } from '../../core/asked.js'
import { h, name } from '../../core/dom.js'
import { can } from '../../core/facts.js'
import { when } from '../../core/words.js'
import { act } from '../../actions/act.js'
import { button } from '../../parts/dialog.js'
import { say } from '../../parts/said.js'

/** @param {string} id @param {any} place */
export function tasks(id, place) {
  const all = [...place.objects.task.entries()].sort((a, b) => (b[1].created > a[1].created ? 1 : -1))
  return [
    h.h2('Tasks'),
    all.length
      ? h.ul(
          { class: 'plain' },
          all.slice(0, 200).map(([ref, one]) =>
            h.li(
              { 'data-key': ref },
              name(one.name_label, 120),
              ` — ${one.status}, ${when(one.created)} `,
              one.status === 'pending'
                ? [
                    h.progress({
                      max: '1',
                      value: one.progress,
                      'aria-label': `Progress of ${one.name_label.slice(0, 60)}`,
                    }),
                    one.allowed_operations?.includes('cancel')
                      ? button('Cancel', () => call(id, 'task.cancel', ref).catch(why => say(why.message)))
                      : null,
                  ]
                : one.error_info?.length
                  ? h.span({ class: 'bad-text' }, name(one.error_info.join(' '), 300))
                  : null,
            ),
          ),
        )
      : h.p({ class: 'faint' }, 'No tasks.'),
    ...operations(id, place),
  ]
}

/** @param {string} id @param {any} place */
function operations(id, place) {
  if (!can(place, 'pooltrust.get_operations')) return []
  const listed = [...(answerOf(id, 'pooltrust.get_operations').value ?? [])].reverse()
  const then = () => outdated(id)
  const order = (one, method, confirm, words) =>
    act({
      id,
      title: `${confirm}: ${one.title}`.slice(0, 120),
      method,
      parameters: [one.id],
      confirm,
      warning: [h.p(words)],
      done: result => {
        then()
        return [h.p(name(result, 400))]
      },
    })
  return [
    h.h2('Operations of the pool'),
    listed.length
      ? h.ul(
          { class: 'plain' },
          listed.map(one =>
            h.li(
              { 'data-key': one.id },
              name(one.title, 200),
              ` — ${one.state}${one.phase ? `, ${one.phase}` : ''}, by `,
              name(one.by, 40),
              `, ${when(one.began)}. `,
              name(one.words, 500),
              ' ',
              one.state === 'suspended'
                ? [
                    button('Resume…', () =>
                      order(one, 'pooltrust.resume_operation', 'Resume', 'It goes on where it stopped.'),
                    ),
                    one.may_abandon === 'true'
                      ? button('Abandon…', () =>
                          order(
                            one,
                            'pooltrust.abandon_operation',
                            'Abandon',
                            'It is taken back, step by step.',
                          ),
                        )
                      : null,
                  ]
                : null,
            ),
          ),
        )
      : h.p({ class: 'faint' }, 'None is under way.'),
  ]
}
