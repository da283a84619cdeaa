// The program reauth, as a process between nghttp2's clients, which speak HTTP/2 without TLS, and servers of Node's own.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = async (program, args) => {
  const options = { timeout: 120_000, maxBuffer: 1 << 28 }
  const { stdout } = await promisify(execFile)(program, args, options)
  return stdout
}
const directory = mkdtempSync(join(tmpdir(), 'reauth-nghttp2-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
const deadline = setTimeout(() => { console.error('it takes too long'); process.exit(1) }, 300_000)

// A vendor with a token endpoint. It takes the newest token so often, and then says that it has expired.
class Vendor {
  tokens = 0
  taken = 0
  refused = 0
  bytes = 0
  lasts = Infinity

  answer(request, response) {
    if (request.url === '/token') {
      this.tokens += 1
      this.left = this.lasts
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ access_token: `token-${this.tokens}`, token_type: 'Bearer', expires_in: 3600 }))
      return
    }
    const good = request.headers.authorization === `Bearer token-${this.tokens}` && this.left > 0
    if (!good) {
      this.refused += 1
      // Whoever is answered before all was sent can't send it again.
      request.resume().on('end', () => response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end())
      return
    }
    this.left -= 1
    this.taken += 1
    let length = 0
    request.on('data', (data) => { length += data.length })
    request.on('end', () => {
      this.bytes += length
      if (request.url === '/large') {
        response.end(Buffer.alloc(3_000_000, 'x'))
      } else {
        response.setHeader('trailer', 'x-length')
        response.write(`[${request.method} ${request.url} ${length} ${request.trailers['x-sum'] ?? 'none'}]`)
        response.addTrailers({ 'x-length': `${length}` })
        response.end()
      }
    })
  }

  counts() {
    return { tokens: this.tokens, taken: this.taken, refused: this.refused }
  }
}

// Has `use` call a proxy before a vendor, which must end well.
const through = async (listen, more, use) => {
  const vendor = new Vendor()
  const server = listen((request, response) => vendor.answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${server.address().port}`
  const client = ['--vendor', 'oauth2', '--client-id', 'me', '--client-secret', 'env:SECRET']
  const urls = ['--token-url', `${origin}/token`, '--base-url', origin]
  const proxy = spawn(process.argv[2], ['proxy', '--listen', '127.0.0.1:0', '--roots', 'bundled', ...client, ...urls, ...more], {
    env: { SECRET: 'a-secret-of-the-client' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.on('exit', () => proxy.kill('SIGKILL'))
  const exited = once(proxy, 'exit')
  const [url] = await once(createInterface({ input: proxy.stdout }), 'line')
  await use(url, vendor, proxy)
  // A second signal would end it at once.
  if (!proxy.killed) proxy.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null])
  server.close()
}

// What h2load says became of its requests.
const load = async (requests, ...args) => {
  const said = await run('h2load', ['-n', `${requests}`, ...args])
  const became = `requests: ${requests} total, ${requests} started, ${requests} done, ${requests} succeeded, 0 failed, 0 errored, 0 timeout`
  assert.ok(said.includes(became), said)
  assert.ok(said.includes(`status codes: ${requests} 2xx, 0 3xx, 0 4xx, 0 5xx`), said)
}

const body = join(directory, 'body')
writeFileSync(body, Buffer.alloc(20_000, 'y'))

for (const [name, listen, more] of [
  // Node closes idle connections after 5 s, some of them just when a POST is on its way, which nobody may send again.
  ['HTTP/1.1', (answer) => createServer({ keepAliveTimeout: 0 }, answer), []],
  // Node refuses requests while more than 10 MB wait to be taken in, if nothing is said.
  ['HTTP/2', (answer) => createHttp2Server({ maxSessionMemory: 100 }, answer), ['--http2-prior-knowledge']],
]) {
  await through(listen, more, async (url, vendor) => {
    await load(4000, '-c', '8', '-m', '100', `${url}/x`)
    assert.deepEqual(vendor.counts(), { tokens: 1, taken: 4000, refused: 0 }, name)

    // More at once than the proxy takes, which the client hears of and heeds; and bodies.
    await load(1500, '-c', '2', '-m', '700', '-d', body, `${url}/x`)
    assert.deepEqual(vendor.counts(), { tokens: 1, taken: 5500, refused: 0 }, name)
    assert.equal(vendor.bytes, 1500 * 20_000)

    // Over HTTP/1.1 the same client may wait with a hundred connections.
    await load(1000, '--h1', '-c', '100', `${url}/x`)
    assert.equal(vendor.taken, 6500)

    // The token expires while hundreds of requests are under way.
    vendor.left = 1000
    await load(3000, '-c', '4', '-m', '100', '-d', body, `${url}/x`)
    assert.deepEqual({ ...vendor.counts(), refused: undefined }, { tokens: 2, taken: 9500, refused: undefined }, name)
    assert.ok(vendor.refused >= 1 && vendor.refused <= 400, `${vendor.refused}`)
  })

  await through(listen, more, async (url, vendor) => {
    // One connection, two hundred requests at once, with a padding.
    const many = await run('nghttp', ['-m', '200', '-b', '200', `${url}/a?b=c`])
    assert.equal(many.split('[GET /a?b=c 0 none]').length - 1, 200, many)
    // Trailers both ways. Nobody says to go on, so the body comes when the client has waited for a second.
    const trailers = ['-H', 'te: trailers', '-H', 'trailer: x-sum', '--trailer', 'x-sum: 7', '--no-content-length']
    const options = ['-v', '--expect-continue', '-d', body, ...trailers]
    const said = await run('nghttp', [...options, `${url}/up`])
    assert.ok(said.includes('[POST /up 20000 7]'), said)
    assert.ok(said.includes('x-length: 20000'), said)
    // Windows of a thousand bytes for answers of millions.
    const large = await run('nghttp', ['-w', '10', '-m', '5', `${url}/large`])
    assert.ok(large === 'x'.repeat(15_000_000), `${large.length} characters came`)
    assert.deepEqual(vendor.counts(), { tokens: 1, taken: 206, refused: 0 }, name)
  })

  // Whoever ends it meanwhile loses no request that the proxy has taken.
  await through(listen, more, async (url, vendor, proxy) => {
    const loading = run('h2load', ['-n', '200000', '-c', '4', '-m', '50', `${url}/x`])
    while (vendor.taken < 500) await new Promise((resolve) => setTimeout(resolve, 5))
    proxy.kill('SIGTERM')
    const said = await loading
    const [, done] = said.match(/(\d+) done/)
    const [, fine] = said.match(/status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx/)
    assert.ok(Number(fine) >= 500, said)
    assert.equal(vendor.taken, Number(fine), said)
    assert.ok(Number(done) >= Number(fine), said)
  })
}
clearTimeout(deadline)
console.log('nghttp2: nghttp and h2load call through the proxy')
