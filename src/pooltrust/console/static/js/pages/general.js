// The General pages of a pool and of a host: the entry Certificate Verification, the section
// Certificates, and what can be done about them.
import { h, name } from '../core/dom.js'
import {
  anchorsOf,
  can,
  certificatesOf,
  hosts,
  isCoordinator,
  poolOf,
  thumbprint,
  TYPES,
  verification,
} from '../core/facts.js'
import { to } from '../core/route.js'
import { enable, ENABLE, itemsFor, exportPem, refresh, reset } from '../actions/certificates.js'
import { install } from '../actions/install.js'
import { request } from '../actions/requests.js'
import { button } from '../parts/dialog.js'
import { validityState } from '../core/words.js'
import { banner, chip, entry, thumb, validity } from '../parts/pieces.js'
import { copy, say } from '../parts/said.js'
import { clockNote, hostGlance, poolGlance } from './glance.js'

export const more = { install, request }

/** @param {string} id @param {any} place @param {string|null} ref */
function verificationEntry(id, place, ref) {
  const state = verification(place, ref)
  if (!state)
    return entry('Certificate Verification', h.span({ class: 'faint' }, 'not offered by this release'))
  const items = [
    { label: 'Copy', run: () => copy([state.words, ...state.off].join('\n')) },
    'line',
    {
      label: ENABLE,
      checked: poolOf(place).tls_verification_enabled && state.tone === 'good',
      run: () => enable(id),
    },
  ]
  return entry(
    'Certificate Verification',
    h.span(
      { class: state.tone === 'good' ? '' : 'bad-text' },
      chip(state),
      state.off.map(one => h.div(name(one))),
      state.tone === 'bad'
        ? h.span(
            ' ',
            button(ENABLE, () => enable(id)),
          )
        : null,
    ),
    items,
    { 'data-entry': 'Certificate Verification' },
  )
}

/** @param {string} id @param {any} place @param {any} report */
export function poolGeneral(id, place, report) {
  const pool = poolOf(place)
  const anchors = anchorsOf(place)
  const off = verification(place, null)
  return [
    off?.tone === 'bad' && !off.off.length
      ? banner(
          'Certificate verification is off: the hosts of this pool do not verify one another.',
          'bad',
          button(ENABLE, () => enable(id), { class: 'main' }),
        )
      : null,
    poolGlance(id, place, report),
    h.section(
      { class: 'sheet', 'aria-labelledby': 'general' },
      h.h2({ id: 'general' }, 'General'),
      h.dl(
        { class: 'entries' },
        entry('Name', name(pool.name_label || '(none)', 300)),
        entry('UUID', h.span({ class: 'mono' }, pool.uuid), [{ label: 'Copy', run: () => copy(pool.uuid) }]),
        verificationEntry(id, place, null),
        entry(
          'Coordinator',
          h.a(
            { href: to(id, 'host', place.objects.host.get(pool.master)?.uuid ?? '', 'general') },
            name(place.objects.host.get(pool.master)?.name_label),
          ),
        ),
        entry(
          'Members',
          h.div(
            { class: 'members-list' },
            hosts(place).map(([, host]) =>
              h.div(
                h.a({ href: to(id, 'host', host.uuid, 'general') }, name(host.name_label)),
                ` ${host.address}`,
              ),
            ),
          ),
        ),
        entry(
          'Connection',
          `${place.state.reached || place.state.address}, ${place.state.tls_version}, ${place.state.kept ? 'its certificate is remembered' : 'trusted for this run only'}`,
        ),
      ),
    ),
    h.section(
      { class: 'sheet', 'aria-labelledby': 'certificates' },
      h.h2({ id: 'certificates' }, 'Certificates'),
      anchors.length
        ? h.dl(
            { class: 'entries' },
            anchors.map(([, one]) =>
              entry(
                one.name || TYPES[one.type] || one.type,
                h.div(TYPES[one.type] ?? one.type, certificateShown(one)),
                [{ label: 'Copy thumbprint', run: () => copy(thumbprint(one)) }],
              ),
            ),
          )
        : h.p({ class: 'faint' }, 'No CA certificates are installed in this pool.'),
      h.p(h.a({ href: to(id, 'pool', 'certificates') }, 'All certificates of the pool, its hosts’ included')),
    ),
  ]
}

/** @param {any} one @param {string|null} [note] */
const certificateShown = (one, note) =>
  h.div(
    h.div(validity(one.not_before, one.not_after)),
    note ? h.div({ class: 'warn-text' }, note) : null,
    h.div('Thumbprint: ', thumb(thumbprint(one))),
  )

/** Of a certificate that is not yet valid: is it the clock? @param {any} one @param {() => string|null} note */
const early = (one, note) => (validityState(one.not_before, one.not_after).kind === 'early' ? note() : null)

/** @param {string} id @param {any} place @param {string} ref @param {any} report */
export function hostGeneral(id, place, ref, report) {
  const host = place.objects.host.get(ref)
  const told = report?.certificates?.find(one => one.host === host.uuid && one.type === 'host')
  const items = itemsFor(id, ref, more)
  return [
    told?.not_covered?.length
      ? banner(
          `Clients that connect to ${told.not_covered.slice(0, 6).join(', ')} refuse this host: its certificate is not made out to that.`,
          '',
          button('Reset Certificate', () => reset(id, ref)),
        )
      : null,
    hostGlance(id, place, ref, report),
    h.section(
      { class: 'sheet', 'aria-labelledby': 'general' },
      h.h2({ id: 'general' }, 'General'),
      h.dl(
        { class: 'entries' },
        entry('Name', name(host.name_label, 300)),
        entry('UUID', h.span({ class: 'mono' }, host.uuid), [{ label: 'Copy', run: () => copy(host.uuid) }]),
        entry('Address', name(host.address)),
        entry('Role', isCoordinator(place, ref) ? 'coordinator' : 'supporter'),
        verificationEntry(id, place, ref),
        entry(
          'Version',
          name(
            `${host.software_version?.product_brand ?? ''} ${host.software_version?.product_version_text || host.software_version?.product_version || ''}`,
          ),
        ),
      ),
    ),
    h.section(
      { class: 'sheet', 'aria-labelledby': 'certificates' },
      h.h2({ id: 'certificates' }, 'Certificates'),
      h.dl(
        { class: 'entries' },
        certificatesOf(place, ref).map(([, one]) =>
          entry(
            TYPES[one.type] ?? one.type,
            certificateShown(
              one,
              early(one, () => clockNote(id, place, ref)),
            ),
            [
              { label: 'Copy thumbprint', run: () => copy(thumbprint(one)) },
              'line',
              ...(one.type === 'host'
                ? items.filter(item => !item.label.startsWith('Refresh'))
                : items.filter(item => item.label.startsWith('Refresh'))),
            ],
            { 'data-entry': one.type },
          ),
        ),
      ),
      h.div(
        { class: 'actions' },
        button('Install Certificate…', () => install(id, ref)),
        button('Reset Certificate', () => reset(id, ref)),
        button('Refresh…', () => refresh(id, ref)),
        can(place, 'pooltrust.create_certificate_request') ? button('CSR…', () => request(id, ref)) : null,
        button('Export PEM', () => exportPem(id, ref).catch(why => say(why.message))),
      ),
      told
        ? h.p(
            { class: 'faint' },
            'Subject ',
            name(told.subject, 300),
            '; ',
            told.self_signed ? 'self-signed' : ['issued by ', name(told.issuer, 300)],
            `; ${told.key}; for `,
            name([...told.names, ...told.addresses].join(', '), 400),
          )
        : null,
    ),
  ]
}
