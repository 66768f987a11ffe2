// What clients of a host meet, of a pool that makes no report of its certificates: its certificate is
// asked for and read on this machine, once for each certificate.
import { present } from '../actions/given.js'
import { answer } from '../core/asked.js'
import { can, certificatesOf, covers, thumbprint } from '../core/facts.js'

/** A certificate stays what it is: milliseconds. */
const LONG = 365 * 86400000

/** In the form of a report; null until it is read. @param {string} id @param {any} place @param {string} ref */
export function presentReport(id, place, ref) {
  const host = place.objects.host.get(ref)
  const [, one] = certificatesOf(place, ref).find(([, it]) => it.type === 'host') ?? []
  if (!host || !one || !can(place, 'host.get_server_certificate')) return null
  const told = answer('this machine', `reads ${id} ${thumbprint(one)}`, () => present(id, ref), LONG)
  const facts = told.value?.facts
  if (!facts) return null
  const asked = [host.hostname, host.address].filter(Boolean)
  const not_covered = asked.filter(name => !covers([...facts.names, ...facts.addresses], name))
  return { certificates: [{ ...facts, type: 'host', host: host.uuid, not_covered }] }
}
