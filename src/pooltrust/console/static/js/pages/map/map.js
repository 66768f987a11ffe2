// The trust map: who verifies whom, from what was really observed by the hosts.
import { h } from '../../core/dom.js'
import { route } from '../../core/route.js'
import { changed } from '../../core/store.js'
import { when } from '../../core/words.js'
import { button } from '../../parts/dialog.js'
import { banner } from '../../parts/pieces.js'
import { grid } from './grid.js'
import { others, unmet } from './others.js'
import { gather, pairState, probeAgain, probes, tells } from './seen.js'
import { refresh } from './told.js'

const SILENT =
  'The hosts of this pool do not tell what they have observed: their release has no such call. What this console itself sees is below.'
const PARTLY =
  'These hosts tell only whom they meet when they are asked to try: what else they have observed, a newer release tells.'

/** @param {string} id @param {any} place */
export function map(id, place) {
  const seen = gather(id, place)
  queueMicrotask(refresh)
  if (!tells(place) && !probes(place))
    return [h.h2('Trust map'), banner(SILENT), h.h2('Observed connections'), ...others(seen)]
  return [
    h.h2('Trust map'),
    h.p(
      'Row: who connected. Column: whom it was to meet. Every cell is the newest connection that the hosts have observed; open one for when, which certificate, and who refused and why.',
    ),
    tells(place) ? null : banner(PARTLY),
    counts(seen),
    unasked(seen),
    grid(seen),
    legend(),
    h.div(
      { class: 'actions' },
      probes(place) ? button('Probe again', () => probeAgain(id)) : null,
      h.span({ class: 'faint' }, since(seen)),
    ),
    h.h2('Observed connections'),
    h.p('What is no conversation between members, the newest first.'),
    ...others(seen),
    ...unmet(seen),
  ]
}

/** @param {import('./seen.js').Gathered} seen */
function counts(seen) {
  /** @type {Map<string, number>} */
  const many = new Map()
  for (const from of seen.asked)
    for (const to of seen.asked) {
      const { words } = pairState(seen, from, to)
      many.set(words, (many.get(words) ?? 0) + 1)
    }
  const more = ['refused', 'not verified', 'no connection', 'not asked']
    .filter(words => many.has(words))
    .map(words => ` ${many.get(words)} ${words}.`)
  return h.p(
    { role: 'status', class: many.has('refused') ? 'bad-text' : null },
    `${many.get('verified') ?? 0} of ${seen.asked.length ** 2} verified.${more.join('')}`,
  )
}

/** @param {import('./seen.js').Gathered} seen */
function unasked(seen) {
  const silent = seen.asked.filter(one => one.fault)
  if (!silent.length) return null
  const names = silent.slice(0, 6).map(one => one.host.name_label.slice(0, 40))
  const more = silent.length > names.length ? ` and ${silent.length - names.length} more` : ''
  return banner(`Not asked, so only the others tell of them: ${names.join(', ')}${more}. ${silent[0].fault}`)
}

const legend = () =>
  h.ul(
    { class: 'legend', 'aria-label': 'Signs' },
    [
      ['good', '●', 'verified by its certificate'],
      ['good', '◆', 'let in by a password or a code'],
      ['bad', '■', 'refused'],
      ['warn', '▲', 'not verified'],
      ['warn', '✕', 'no connection'],
      ['none', '○', 'connected, nothing said'],
      ['none', '·', 'not observed yet'],
    ].map(([tone, sign, words]) =>
      h.li(h.span({ class: `${tone}-text`, 'aria-hidden': 'true' }, sign), ' ', words),
    ),
  )

/** @param {import('./seen.js').Gathered} seen */
function since(seen) {
  const starts = [...seen.pairs.values()]
    .flat()
    .map(one => one.since)
    .filter(Boolean)
    .sort()
  return starts.length ? `Kept in memory by each host, since ${when(starts[0])} at the earliest.` : ''
}

// Only while somebody looks: asked anew now and then, since no event tells of a handshake.
setInterval(() => {
  const at = route()
  if (at.kind === 'pool' && at.page === 'map' && document.visibilityState === 'visible') changed()
}, 2000)
