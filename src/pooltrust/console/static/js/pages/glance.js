// The state of a pool or a host in one look: a tile for each question that an administrator has.
import { alerts, isPut, SEVERITIES } from '../core/alerts.js'
import { clocksOf, clockTone, surely } from '../core/clocks.js'
import { h, name } from '../core/dom.js'
import { can, certificatesOf, hosts, isAway, TYPES, verification } from '../core/facts.js'
import { to } from '../core/route.js'
import { date, some, spanWords, validityState } from '../core/words.js'
import { tile } from '../parts/pieces.js'

/** @param {string} id @param {any} place @param {any} report */
export const poolGlance = (id, place, report) => [
  asTold(place),
  h.ul(
    { class: 'tiles', 'aria-label': 'At a glance' },
    verificationTile(id, place, null),
    soonest(id, place),
    membersTile(id, place),
    namesTile(id, place, report, null),
    clockTile(id, place, null),
    alertsTile(id),
  ),
]

/** @param {any} place */
const asTold = place =>
  place.state.standing === 'connected' ? null : h.p({ class: 'faint' }, 'As it was told last:')

/** @param {string} id @param {any} place @param {string} ref @param {any} report */
export const hostGlance = (id, place, ref, report) => [
  asTold(place),
  h.ul(
    { class: 'tiles', 'aria-label': 'At a glance' },
    verificationTile(id, place, ref),
    certificatesOf(place, ref).map(([, one]) =>
      tile(TYPES[one.type] ?? one.type, validityState(one.not_before, one.not_after)),
    ),
    namesTile(id, place, report, ref),
    clockTile(id, place, ref),
  ),
]

/** @param {string} id @param {any} place @param {string|null} ref */
function verificationTile(id, place, ref) {
  const state = verification(place, ref)
  if (!state) return tile('Certificate verification', { words: 'not offered', tone: '', kind: 'off' })
  if (state.tone === 'good')
    return tile('Certificate verification', {
      words: ref ? 'On' : 'On, at every host',
      tone: 'good',
      kind: 'verified',
    })
  const here = ref ? place.objects.host.get(ref)?.uuid : null
  const since = alerts()
    .filter(one => one.id === id && one.name === 'TLS_VERIFICATION_EMERGENCY_DISABLED')
    .filter(one => !here || one.about === here)
    .map(one => date(one.at)?.getTime() ?? Date.now())
  const switched = state.off.length > 0 || state.words !== 'Disabled'
  return tile(
    'Certificate verification',
    switched
      ? { words: ref ? 'Off here' : `Off at ${some(state.off, 3)}`, tone: 'bad', kind: 'override' }
      : { words: 'Off in the whole pool', tone: 'bad', kind: 'off' },
    switched
      ? `The emergency switch is on${since.length ? `, for ${spanWords(Date.now() - Math.min(...since))}` : ''}.`
      : null,
  )
}

/** @param {string} id @param {any} place */
function soonest(id, place) {
  const all = [...place.objects.certificate.values()]
    .map(one => ({ one, state: validityState(one.not_before, one.not_after) }))
    .sort((a, b) => rank(a.state) - rank(b.state) || a.state.days - b.state.days)
  if (!all.length) return tile('Certificates', { words: 'none told', tone: '', kind: 'note' })
  const { one, state } = all[0]
  const urgent = all.filter(it => it.state.tone !== 'good').length
  return tile(
    urgent
      ? `Certificates: ${urgent} of ${all.length} need attention`
      : `${all.length} certificates, all valid`,
    { ...state, words: urgent ? state.words : `the first ends in ${state.days} days` },
    h.a(
      { href: to(id, 'pool', 'certificates') },
      name(place.objects.host.get(one.host)?.name_label ?? one.name, 40),
      `: ${TYPES[one.type] ?? one.type}`,
    ),
  )
}

/** What is not valid now comes before what ends soon. */
const rank = state => (state.kind === 'expired' || state.kind === 'early' ? 0 : 1)

/** @param {string} id @param {any} place */
function membersTile(id, place) {
  const all = hosts(place)
  const away = all.filter(([ref]) => isAway(place, ref)).map(([, host]) => host.name_label)
  return tile(
    'Members',
    away.length
      ? { words: `${all.length - away.length} of ${all.length} are here`, tone: 'bad', kind: 'away' }
      : {
          words: all.length === 1 ? 'One host, on its own' : `All ${all.length} are here`,
          tone: 'good',
          kind: 'good',
        },
    h.a(
      { href: to(id, 'pool', 'members') },
      away.length ? name(`Not heard: ${some(away, 4)}`, 200) : 'Who they are',
    ),
  )
}

/** Whether clients accept each host by its names. @param {string} id @param {any} place @param {any} report @param {string|null} ref */
function namesTile(id, place, report, ref) {
  const about = ref ? 'Names in its server certificate' : 'Names in server certificates'
  const method = ref ? 'host.get_server_certificate' : 'pooltrust.get_certificate_report'
  if (!can(place, method)) return null
  // It has its place before it is told, so that nothing moves when it is.
  if (!report) return tile(about, { words: 'not told yet', tone: '', kind: 'names' })
  const here = ref ? place.objects.host.get(ref)?.uuid : null
  const told = report.certificates.filter(one => one.type === 'host' && (!here || one.host === here))
  const short = told.filter(one => one.not_covered?.length)
  if (!short.length)
    return tile(about, {
      words: ref ? 'Made out to this host' : 'Each is made out to its host',
      tone: 'good',
      kind: 'names',
    })
  return tile(
    about,
    {
      words: ref
        ? `Not for ${some(short[0].not_covered, 3)}`
        : `${short.length} of ${told.length} not made out to its host`,
      tone: 'warn',
      kind: 'names',
    },
    ref
      ? 'Clients that ask for that refuse it. Reset Certificate makes it out anew.'
      : short
          .slice(0, 3)
          .map(one =>
            h.div(
              h.a({ href: to(id, 'host', one.host, 'general') }, name(hostName(place, one.host), 40)),
              `: ${some(one.not_covered, 2)}`,
            ),
          ),
  )
}

/** @param {any} place @param {string} uuid */
const hostName = (place, uuid) => hosts(place).find(([, host]) => host.uuid === uuid)?.[1].name_label ?? uuid

/** @param {string} id @param {any} place @param {string|null} ref */
function clockTile(id, place, ref) {
  const about = ref ? 'Its clock' : 'Clocks'
  const clocks = clocksOf(id, place)
  if (!clocks) return null
  const told = [...clocks].filter(([one]) => !ref || one === ref)
  if (!told.length) return tile(about, { words: 'not told yet', tone: '', kind: 'clock' })
  const off = Math.max(...told.map(([, clock]) => surely(clock)))
  const tone = clockTone(off)
  if (tone === 'good')
    return tile(
      about,
      {
        words: `Right to ${spanWords(Math.max(SECOND, ...told.map(([, one]) => one.give)))}`,
        tone,
        kind: 'clock',
      },
      'compared with this machine’s',
    )
  const wrong = told.filter(([, clock]) => clockTone(surely(clock)) !== 'good')
  return tile(
    about,
    { words: wrongWords(place, wrong, ref), tone, kind: 'clock' },
    wrong.length === told.length && told.length > 1
      ? 'All hosts are off: look at this machine’s own clock first.'
      : 'What is valid when depends on it. Set it (NTP) before you renew anything.',
  )
}

const SECOND = 1000

/** @param {any} place @param {[string, import('../core/clocks.js').Clock][]} wrong @param {string|null} ref */
function wrongWords(place, wrong, ref) {
  const [first, clock] = [...wrong].sort((a, b) => surely(b[1]) - surely(a[1]))[0]
  const much = `${spanWords(clock.ahead)} ${clock.ahead > 0 ? 'ahead of' : 'behind'} this machine`
  const more = wrong.length > 1 ? `, and ${wrong.length - 1} more` : ''
  return ref ? much : `${place.objects.host.get(first)?.name_label.slice(0, 40)} is ${much}${more}`
}

/** Of this pool; what a person put aside is counted all the same. @param {string} id */
function alertsTile(id) {
  const all = alerts().filter(one => one.id === id)
  const put = all.filter(isPut).length
  const [words, tone] = SEVERITIES[all[0]?.priority] ?? ['none', 'good']
  return tile(
    'Notifications',
    all.length
      ? { words: `${all.length}, ${words}`, tone, kind: 'bell' }
      : { words: 'Nothing needs attention', tone: 'good', kind: 'bell' },
    all.length
      ? h.a({ href: '#/notifications' }, put ? `See them; ${put} put aside by you` : 'See them')
      : null,
  )
}

/** Beside "not yet valid": whether it may be the clock. @param {string} id @param {any} place @param {string} ref */
export function clockNote(id, place, ref) {
  const clock = clocksOf(id, place)?.get(ref)
  if (!clock) return null
  const off = surely(clock)
  return clockTone(off) === 'good'
    ? 'Its host’s clock agrees with this machine’s.'
    : `Its host’s clock is ${spanWords(off)} ${clock.ahead > 0 ? 'ahead of' : 'behind'} this machine’s.`
}
