// Operations that stopped half-way: going on with one, and taking it back.
import { outdated } from '../core/asked.js'
import { h, name } from '../core/dom.js'
import { act } from './act.js'

/** Whether it can't go on by itself just now; while it is tried again it has its words still. @param {any} one */
export const stopped = one => one.state === 'suspended' || (one.state === 'running' && Boolean(one.words))

/** @param {string} id @param {any} one */
export const resume = (id, one) =>
  order(id, one, 'pooltrust.resume_operation', 'Resume', [
    h.p('It goes on where it stopped. Nothing that is done already is done again.'),
  ])

/** @param {string} id @param {any} one */
export const abandon = (id, one) =>
  order(id, one, 'pooltrust.abandon_operation', 'Abandon', [
    h.p(
      'What it has done so far is taken back, step by step; a member that is away does its part on its return.',
    ),
  ])

/** @param {string} id @param {any} one @param {string} method @param {string} confirm @param {any[]} says */
const order = (id, one, method, confirm, says) =>
  act({
    id,
    title: `${confirm}: ${one.title}`.slice(0, 120),
    method,
    parameters: [one.id],
    confirm,
    danger: confirm === 'Abandon',
    warning: [h.p(h.strong('It stopped: '), name(one.words, 700)), ...says],
    done: result => {
      outdated(id)
      return [h.p(name(result, 400))]
    },
  })
