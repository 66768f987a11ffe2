// An action from its plan to its end: what it would do, a confirmation, its progress, what was done,
// and the command line that would have done it.
import { call, Failed } from '../core/api.js'
import { h, name } from '../core/dom.js'
import { can } from '../core/facts.js'
import { places } from '../core/store.js'
import { ask, button, close, closing, redraw, turn } from '../parts/dialog.js'
import { banner, xeLine } from '../parts/pieces.js'
import { say } from '../parts/said.js'
import { begun, cancelButton, ended as taskEnded } from './tasks.js'
import { xeLineOf } from './xe.js'

/**
 * @typedef {object} Action
 * @property {string} id @property {string} title @property {string} method @property {any[]} parameters
 * @property {boolean} [task] it takes a while: it is begun as a task, which may be cancelled
 * @property {string} [plan] the call whose plan is shown @property {string} [host] its host
 * @property {string[]} [each] its hosts, if it is done to one after another
 * @property {string} [typed] what is to be typed before it may be confirmed
 * @property {any[]} [warning] @property {string} confirm @property {boolean} [danger] @property {string} [refuse]
 * @property {() => boolean} [seen] whether it can be seen in the records that it was done
 * @property {() => any[]} [hosts] how far each host is
 * @property {() => void} [again] how it is begun once more @property {(result: any) => any[]} [done]
 */

/** @param {Action} action */
export async function act(action) {
  const place = places.get(action.id)
  if (!place) return
  const title = action.title
  ask(title, [h.p({ class: 'busy' }, 'Looking at what it would do…')], [closing()])
  const asked = turn()
  const [plan, line] = await Promise.all([
    planOf(place, action),
    xeLineOf(place, action.method, action.parameters),
  ])
  if (turn() !== asked) return // the person has gone on
  if (plan.failed) return failed(action, plan.failed)
  const blocked = (plan.blockers ?? []).length > 0
  const first = action.typed ? typing(action.typed) : null
  ask(
    title,
    [...(action.warning ?? []), ...planShown(plan), ...(first?.parts ?? [])],
    [
      closing(action.refuse ?? 'Cancel'),
      blocked
        ? button('Look again', () => act(action))
        : button(action.confirm, () => (first && !first.right() ? first.ask() : run(action, line)), {
            class: action.danger ? 'danger' : 'main',
            autofocus: !action.danger,
          }),
    ],
  )
}

/** A name that is typed by who means it. @param {string} wanted */
function typing(wanted) {
  const input = /** @type {HTMLInputElement} */ (
    h.input({ id: 'act-typed', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'act-wrong' })
  )
  const wrong = h.p({ id: 'act-wrong', class: 'field-error', role: 'alert', 'data-own': true })
  return {
    parts: [h.label({ for: 'act-typed' }, 'To confirm, type its name: ', name(wanted, 300)), input, wrong],
    right: () => input.value.trim() === wanted.trim(),
    ask: () => {
      wrong.textContent = 'That is not its name.'
      input.focus()
    },
  }
}

/** @param {any} place @param {Action} action @returns {Promise<any>} */
export async function planOf(place, action) {
  if (!action.plan || !can(place, 'pooltrust.get_plan')) return {}
  try {
    const plans = /** @type {[string, any][]} */ ([])
    for (const host of action.each ?? [action.host ?? '']) {
      const said = await call(action.id, 'pooltrust.get_plan', action.plan, host)
      plans.push([place.objects.host.get(host)?.name_label ?? '', said ? JSON.parse(said) : {}])
    }
    return action.each ? oneAfterAnother(plans) : plans[0][1]
  } catch (why) {
    return { failed: why }
  }
}

/** The plans of several hosts as one: a host that can't now has its turn later. @param {[string, any][]} plans */
function oneAfterAnother(plans) {
  const able = plans.filter(([, plan]) => !plan.blockers?.length)
  const unable = plans.filter(([, plan]) => plan.blockers?.length)
  return {
    order: able.flatMap(([host, plan]) =>
      (plan.order ?? []).map(phase => ({ ...phase, name: `${host}: ${phase.name}` })),
    ),
    blockers: able.length ? [] : unable.flatMap(([, plan]) => plan.blockers),
    later: [...new Set([...unable.map(([host]) => host), ...able.flatMap(([, plan]) => plan.later ?? [])])],
    drops: able[0]?.[1].drops,
    standing: 'Each host is done by itself; whoever is done stays so.',
  }
}

/** @param {any} plan */
export function planShown(plan) {
  if (!plan.order) return []
  return [
    plan.blockers?.length
      ? h.div(
          { class: 'banner bad' },
          h.p('Not ready. In its way:'),
          h.ul(
            { class: 'plain' },
            plan.blockers.map(one =>
              h.li(name(one.words, 600), one.cure ? h.div(h.strong('Cure: '), name(one.cure, 600)) : null),
            ),
          ),
        )
      : banner('Ready: nothing is in its way.', 'good'),
    h.h3('What will be done'),
    h.ol(
      { class: 'plan' },
      plan.order.map(phase =>
        h.li(
          h.strong(name(phase.name)),
          phase.final ? h.span({ class: 'warn-text' }, ' — no way back from here on') : null,
          h.ul(
            { class: 'plain' },
            phase.steps.slice(0, 12).map(step => h.li(name(step, 300))),
            phase.steps.length > 12 ? h.li(`and ${phase.steps.length - 12} more`) : null,
          ),
        ),
      ),
    ),
    plan.drops ? h.p(h.strong('Connections: '), plan.drops) : null,
    plan.later?.length ? h.p(`Away, and to do their part when they return: ${plan.later.join(', ')}`) : null,
    plan.standing ? h.p(h.strong('Wherever it stops: '), name(plan.standing, 400)) : null,
  ]
}

/** Do at once what was agreed to. @param {Action} action */
export async function carryOut(action) {
  const place = places.get(action.id)
  return run(action, place ? await xeLineOf(place, action.method, action.parameters) : '')
}

/** @param {Action} action @param {string} line */
async function run(action, line) {
  const asked = turn()
  const under = { task: '' }
  const progress = setInterval(() => showProgress(action, asked, under), 400)
  redraw(
    action.title,
    [h.p({ class: 'busy', role: 'status' }, 'It is being done…'), h.progress({ 'aria-label': 'Progress' })],
    [closing('Close; it goes on')],
  )
  try {
    const result = await carried(action, under)
    await comes(action, 5) // its event may come after its answer
    clearInterval(progress)
    ended(action, asked, () => done(action, result, line), 'done.')
  } catch (why) {
    clearInterval(progress)
    const was = await wasDone(action, why)
    ended(
      action,
      asked,
      () => (was ? done(action, '', line) : failed(action, why)),
      was ? 'done.' : `not done. ${/** @type {Error} */ (why).message}`,
    )
  }
}

/** To its end: as a task where that is asked for. @param {Action} action @param {{task: string}} under */
async function carried(action, under) {
  if (action.task) under.task = await begun(action)
  return under.task ? taskEnded(action.id, under.task) : call(action.id, action.method, ...action.parameters)
}

/** Show how it ended where it was asked for; only say so to a person who has gone on. */
function ended(action, asked, show, words) {
  if (turn() === asked) show()
  else say(`${action.title}: ${words}`)
}

/** Some changes end the connection that would have brought the answer. @param {Action} action @param {any} why */
const wasDone = async (action, why) =>
  why.code === 'CONNECTION_LOST' && Boolean(action.seen) && comes(action, 20)

/** Wait until it can be seen; false if it does not come. @param {{seen?: () => boolean}} action @param {number} seconds */
export async function comes(action, seconds) {
  for (
    const until = Date.now() + seconds * 1000;
    Date.now() < until;
    await new Promise(done => setTimeout(done, 100))
  ) {
    if (!action.seen || action.seen()) return true
  }
  return false
}

/** @param {Action} action @param {number} asked @param {{task: string}} under */
async function showProgress(action, asked, under) {
  const place = places.get(action.id)
  if (!place) return
  const ours = can(place, 'pooltrust.get_operations')
  const listed = ours ? await call(action.id, 'pooltrust.get_operations').catch(() => []) : []
  const one = listed.filter(it => it.state === 'running').pop()
  const task = place.objects.task.get(under.task)
  if (!(one || task) || turn() !== asked || !document.querySelector('#dialog progress')) return
  const words = one ? `${one.title}: ${one.phase}` : 'It is being done…'
  redraw(
    action.title,
    [
      h.p({ class: 'busy', role: 'status' }, name(words, 300)),
      h.progress({ 'aria-label': 'Progress', max: '1', value: one?.progress ?? task.progress }),
      action.hosts ? h.ul({ class: 'plain' }, action.hosts()) : null,
    ],
    [closing('Close; it goes on'), cancelButton(action.id, under.task)],
  )
}

/** What was done is done, in whatever form its host told of it. @param {Action} action @param {any} result */
function shownOf(action, result) {
  try {
    return action.done?.(result) ?? []
  } catch (why) {
    return [h.p(`What the host told of it can’t be shown: ${String(why).slice(0, 200)}`)]
  }
}

/** @param {Action} action @param {any} result @param {string} line */
function done(action, result, line) {
  ask(
    action.title,
    [
      banner('Done.', 'good'),
      ...shownOf(action, result),
      ...(line ? [h.h3('The same by the command line'), xeLine(line)] : []),
    ],
    [button('Close', close, { class: 'main', autofocus: true })],
  )
}

/** @param {Action} action @param {any} why */
export function failed(action, why) {
  const told = why instanceof Failed ? why : new Failed({ code: 'INTERNAL_ERROR', words: String(why) })
  ask(
    action.title,
    [
      banner('It was not done.', 'bad'),
      h.p(name(told.message, 2000)),
      h.details(h.summary('Details'), h.code(name([told.code, ...told.parameters].join(' '), 2000))),
    ],
    [button('Try again', action.again ?? (() => act(action))), closing('Close')],
  )
}
