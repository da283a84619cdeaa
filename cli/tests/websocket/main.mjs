// The program reauth, as a process between ws's client and ws's server. Node's own fetch is a client as well.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { WebSocket, WebSocketServer } from 'ws'

// A vendor with a token endpoint, whose first token has expired when it is shown for the second time.
const shown = []
let tokens = 0
const vendor = createServer((request, response) => {
  if (request.url === '/token') {
    tokens += 1
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token: `token-${tokens}`, token_type: 'Bearer', expires_in: 3600 }))
  } else {
    shown.push(request.headers.authorization)
    response.end(request.url)
  }
})
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true })
vendor.on('upgrade', (request, socket, head) => {
  const token = request.headers.authorization
  const expired = token === 'Bearer token-1' && shown.includes(token)
  shown.push(token)
  if (expired) {
    socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error="invalid_token"\r\nContent-Length: 0\r\n\r\n')
    return
  }
  sockets.handleUpgrade(request, socket, head, (server) => {
    server.on('message', (data, binary) => server.send(data, { binary }))
  })
})
vendor.listen(0, '127.0.0.1')
await once(vendor, 'listening')
const origin = `http://127.0.0.1:${vendor.address().port}`

const options = ['proxy', '--listen', '127.0.0.1:0', '--roots', 'bundled', '--vendor', 'oauth2', '--client-id', 'me']
const urls = ['--client-secret', 'env:SECRET', '--token-url', `${origin}/token`, '--base-url', origin]
const proxy = spawn(process.argv[2], [...options, ...urls, '-v'], {
  env: { SECRET: 'a-secret-of-the-client' },
  stdio: ['ignore', 'pipe', 'inherit'],
})
const [address] = await once(createInterface({ input: proxy.stdout }), 'line')
const deadline = setTimeout(() => { console.error('it takes too long'); proxy.kill('SIGKILL'); process.exit(1) }, 60_000)

const open = async (offers) => {
  const client = new WebSocket(address.replace('http:', 'ws:') + '/chat', { perMessageDeflate: offers })
  await once(client, 'open')
  return client
}
const echoed = async (client, data) => {
  client.send(data)
  const [answer, binary] = await once(client, 'message')
  assert.equal(binary, typeof data !== 'string')
  assert.deepEqual(answer, Buffer.from(data))
}

assert.equal(await (await fetch(`${address}/fetched?a=b`)).text(), '/fetched?a=b')
for (const offers of [false, true]) {
  // The first handshake is made twice, since the token that fetch got has expired by then.
  const client = await open(offers)
  assert.equal(client.extensions, offers ? 'permessage-deflate' : '')
  for (const data of ['', 'hello', Buffer.alloc(125, 1), Buffer.alloc(126, 2), Buffer.alloc(1_000_000, 3)]) {
    await echoed(client, data)
  }
  client.ping()
  await once(client, 'pong')
  client.close(4000, 'enough')
  const [code] = await once(client, 'close')
  assert.equal(code, 4000)
}
assert.deepEqual(shown, ['Bearer token-1', 'Bearer token-1', 'Bearer token-2', 'Bearer token-2'])

// A page isn't let in, as ws says by the status.
const page = new WebSocket(address.replace('http:', 'ws:'), { origin: 'https://evil.example' })
const [refusal] = await once(page, 'error')
assert.match(refusal.message, /403/)

// When the proxy ends, a client is told that the server goes away.
const last = await open(true)
await echoed(last, 'still there')
proxy.kill('SIGTERM')
const [code] = await once(last, 'close')
assert.equal(code, 1001)
const [status] = proxy.exitCode === null ? await once(proxy, 'exit') : [proxy.exitCode]
assert.equal(status, 0)
clearTimeout(deadline)
vendor.close()
vendor.closeAllConnections()
console.log('websocket: ws and fetch talk through the proxy')
