// Which page is drawn by what.
import { h } from '../core/dom.js'
import { answerOf } from '../core/asked.js'
import { can } from '../core/facts.js'
import { certificates } from './pool/certificates.js'
import { hostGeneral, poolGeneral } from './general.js'
import { history } from './pool/history.js'
import { map } from './map/map.js'
import { members } from './pool/members.js'
import { presentReport } from './present.js'
import { tasks } from './pool/tasks.js'
import { trusted } from './pool/trusted.js'
import { users } from './pool/users.js'

/** What only our own hosts tell of every certificate. @param {string} id @param {any} place */
export function reportOf(id, place) {
  if (!can(place, 'pooltrust.get_certificate_report')) return null
  const told = answerOf(id, 'pooltrust.get_certificate_report').value
  return told ? JSON.parse(told) : null
}

/** @param {string} id @param {any} place @param {string} ref */
const hostReport = (id, place, ref) =>
  can(place, 'pooltrust.get_certificate_report') ? reportOf(id, place) : presentReport(id, place, ref)

/** @param {import('../core/route.js').Route} at @param {string} id @param {any} place @param {string|null} ref */
export function page(at, id, place, ref) {
  if (ref) return hostGeneral(id, place, ref, hostReport(id, place, ref))
  switch (at.page) {
    case 'general':
      return poolGeneral(id, place, reportOf(id, place))
    case 'certificates':
      return certificates(id, place, reportOf(id, place))
    case 'map':
      return map(id, place)
    case 'history':
      return history(id, place)
    case 'trusted':
      return trusted(id, place)
    case 'members':
      return members(id, place)
    case 'users':
      return users(id, place)
    case 'tasks':
      return tasks(id, place)
    default:
      return [h.p('There is no such page.')]
  }
}
