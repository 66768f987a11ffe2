// Runs npm's xen-api for a test: it connects to the URL that it is given, with its events on, and
// tells what it sees as lines of JSON.  Each line that it reads is a call, [method, ...parameters];
// "Async." before the method makes it a task, whose end it waits for.
//
// Whom it trusts is in NODE_EXTRA_CA_CERTS, its password in PASSWORD.
import { createInterface } from 'node:readline'
import { CancelToken } from 'promise-toolbox'
import { Xapi } from 'xen-api'

const tell = what => process.stdout.write(JSON.stringify(what) + '\n')
const plain = object => Object.fromEntries(Object.entries(object).filter(([key]) => key[0] !== '$'))
const shown = object => ({ $type: object.$type, $ref: object.$ref, ...plain(object) })

const auth = { user: 'root', password: process.env.PASSWORD }
const xapi = new Xapi({ url: process.argv[2], auth, allowUnauthorized: false, debounce: 10 })
xapi.on('eventFetchingError', error => tell({ failed: String(error) }))

try {
  await xapi.connect()
  await xapi.objectsFetched
} catch (error) {
  tell({ refused: error.code ?? String(error), cause: error.cause?.code })
  process.exit(1)
}
tell({ ready: Object.values(xapi.objects.all).map(shown) })

for (const kind of ['add', 'update']) {
  xapi.objects.on(kind, objects => tell({ [kind]: Object.values(objects).map(shown) }))
}
xapi.objects.on('remove', objects => tell({ remove: Object.keys(objects) }))

for await (const line of createInterface({ input: process.stdin })) {
  const [method, ...parameters] = JSON.parse(line)
  const call = method.startsWith('Async.')
    ? xapi.callAsync(CancelToken.none ?? new CancelToken(() => {}), method.slice(6), ...parameters)
    : xapi.call(method, ...parameters)
  call.then(
    result => tell({ result }),
    error => tell({ error: [error.code ?? String(error), ...(error.params ?? [])] })
  )
}
await xapi.disconnect()
process.exit(0)
