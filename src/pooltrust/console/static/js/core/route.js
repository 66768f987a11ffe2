// Where one is: #/s1/pool/general, #/s1/host/<uuid>/general, #/known.

/** @typedef {{id?: string, kind: string, uuid?: string, page: string}} Route */

/** @returns {Route} */
export function route(hash = location.hash) {
  const parts = hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent)
  if (parts[1] === 'pool') return { id: parts[0], kind: 'pool', page: parts[2] || 'general' }
  if (parts[1] === 'host') return { id: parts[0], kind: 'host', uuid: parts[2], page: parts[3] || 'general' }
  return { kind: parts[0] || 'start', page: parts[0] || 'start' }
}

/** @param {...string} parts */
export const to = (...parts) => '#/' + parts.map(encodeURIComponent).join('/')

/** @param {...string} parts */
export function go(...parts) {
  location.hash = to(...parts)
}
