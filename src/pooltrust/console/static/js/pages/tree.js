// The tree of pools and hosts, with the real state of each by colour and by text.
import { h, name } from '../core/dom.js'
import { hosts, hostState, poolName, poolState } from '../core/facts.js'
import { to } from '../core/route.js'
import { link, places } from '../core/store.js'

const MARKS = { good: '●', warn: '▲', bad: '■' }

/** @param {import('../core/route.js').Route} at */
export function tree(at) {
  const row = (href, label, state, current, key) =>
    h.a(
      { href, 'aria-current': current ? 'page' : null, 'data-key': key, title: String(label).slice(0, 300) },
      h.span({ class: `${state.tone}-text`, 'aria-hidden': 'true' }, MARKS[state.tone]),
      h.span({ class: 'label' }, name(label, 80)),
      h.span({ class: `state ${state.tone}-text` }, state.words),
    )
  return [
    link.up
      ? null
      : h.p({ class: 'bad-text', role: 'alert' }, 'The console does not answer. What you see may be old.'),
    h.ul(
      [...places].map(([id, place]) =>
        h.li(
          { 'data-key': id },
          row(
            to(id, 'pool', 'general'),
            poolName(place),
            poolState(place),
            at.id === id && at.kind === 'pool',
            `pool ${id}`,
          ),
          h.ul(
            hosts(place).map(([ref, host]) =>
              h.li(
                { 'data-key': ref },
                row(
                  to(id, 'host', host.uuid, 'general'),
                  host.name_label || host.address,
                  hostState(place, ref),
                  at.id === id && at.uuid === host.uuid,
                  `host ${id} ${ref}`,
                ),
              ),
            ),
          ),
        ),
      ),
    ),
    places.size ? null : h.p({ class: 'faint' }, 'No server yet.'),
    h.ul(
      h.li(h.a({ href: to('known'), 'aria-current': at.kind === 'known' ? 'page' : null }, 'Known servers')),
    ),
  ]
}
