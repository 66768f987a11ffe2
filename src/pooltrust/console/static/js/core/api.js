// Asking the console's server.  The key shows that it is our own page that asks: it came with the
// link, and is kept where pages of other ports can't read it, which they can the cookie.

/** What was answered instead of a result. */
export class Failed extends Error {
  /** @param {{code: string, parameters?: string[], words?: string}} told */
  constructor(told) {
    super(told.words || [told.code, ...(told.parameters ?? [])].join(' '))
    this.code = told.code
    this.parameters = told.parameters ?? []
  }
}

const brought = /^#key=([\w-]+)$/.exec(location.hash)
if (brought) {
  localStorage.setItem('key', brought[1])
  history.replaceState(null, '', '/')
}
export const key = localStorage.getItem('key') ?? ''
const HEADERS = { 'Content-Type': 'application/json', 'X-Pooltrust-Console': key }

/** @param {string} path @param {object|string|Blob} body a file goes as it is @returns {Promise<any>} */
export async function ask(path, body) {
  const text = typeof body === 'string' || body instanceof Blob ? body : JSON.stringify(body)
  return told(await reached(() => fetch(path, { method: 'POST', headers: HEADERS, body: text })))
}

/** @param {string} path @returns {Promise<any>} */
export async function get(path) {
  return told(await reached(() => fetch(path, { headers: HEADERS })))
}

/** A call of the public API in a server's session. @param {string} id @param {string} method @param {...any} parameters */
export async function call(id, method, ...parameters) {
  return (await ask('/api/call', { id, method, parameters })).result
}

/** @param {() => Promise<Response>} fetching */
async function reached(fetching) {
  try {
    return await fetching()
  } catch {
    throw new Failed({
      code: 'CONSOLE_STOPPED',
      words: 'The console itself does not answer. Is it still running?',
    })
  }
}

/** @param {Response} response */
async function told(response) {
  const text = await response.text()
  let said
  try {
    said = JSON.parse(text)
  } catch {
    throw new Failed({ code: `HTTP ${response.status}`, words: text.slice(0, 300) })
  }
  if (said.error) throw new Failed(said.error)
  return said
}
