import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/StreamifyResponse'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda'
import { provideAwslambda } from '#shared/local/awslambda.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { startServer } from '#shared/local/httpServer.ts'
import type { LocalServer, ServerOptions } from '#shared/local/httpServer.ts'
import { matchRoute } from '#shared/local/routes.ts'
import type { Route } from '#shared/local/routes.ts'
import { parseUploadKey } from '#shared/vault/names.ts'
import { temporaryFolder } from '#test/support/interop.ts'

provideAwslambda()
const scratch = temporaryFolder()
let count = 0

const servers: LocalServer[] = []
const errors: unknown[] = []
async function serve(options: Partial<ServerOptions>) {
  const server = await startServer({ port: 0, routes: [], onError: error => errors.push(error), ...options })
  servers.push(server)
  return server
}
afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.close(0)))
  errors.length = 0
})

const echo: Route['handler'] = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => ({
  statusCode: 200,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(event),
})
const reads = { methods: ['GET', 'POST'], resource: '/reads/{id+}', handler: echo }
const eventOf = async (reply: Response) => (await reply.json()) as APIGatewayProxyEvent

/** Sends exactly these bytes, and gives all that comes back until the server closes. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  let reply = ''
  for await (const chunk of socket as AsyncIterable<Buffer>) reply += chunk.toString()
  return reply
}

describe('names', () => {
  const status = () => ['secret']

  test.each(['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]'])('it answers to %s', async name => {
    const { port } = await serve({ status })
    const reply = await raw(
      port,
      `GET /status HTTP/1.1\r\nHost: ${name}:${port}\r\nConnection: close\r\n\r\n`,
    )
    expect(reply).toMatch(/^HTTP\/1\.1 200 /)
  })

  describe('of pages, where the server says which may ask', () => {
    const asked = async (origin: string | undefined, method = 'GET') => {
      const { url } = await serve({ status, routes: [reads], origins: ['https://igv.org'] })
      const headers = origin === undefined ? undefined : { Origin: origin }
      return fetch(`${url}/reads/a`, { method, headers: headers ?? {} })
    }

    test.each([
      undefined,
      'http://localhost:3000',
      'http://127.0.0.1',
      'https://[::1]:8443',
      'https://igv.org',
    ])('%s gets the answer', async origin => expect((await asked(origin)).status).toBe(200))

    test.each([
      'https://example.org',
      'http://igv.org',
      'https://igv.org.example.org',
      'https://localhost.example.org',
      'http://127.0.0.1.example.org',
      'null',
      'file://',
      'x',
    ])('%s gets nothing, nor leave to ask', async origin => {
      for (const method of ['GET', 'POST', 'OPTIONS', 'PUT']) {
        const reply = await asked(origin, method)
        expect(reply.status).toBe(403)
        expect(reply.headers.has('access-control-allow-origin')).toBe(false)
        expect(await reply.json()).toMatchObject({ code: 'ORIGIN_REFUSED' })
      }
    })
  })

  test.each(['vault.example.org', '127.0.0.1.example.org', 'localhost.'])(
    'a page whose name %s was made to point here gets nothing',
    async name => {
      const { port } = await serve({ status })
      const reply = await raw(
        port,
        `GET /status HTTP/1.1\r\nHost: ${name}:${port}\r\nConnection: close\r\n\r\n`,
      )
      expect(reply).toMatch(/^HTTP\/1\.1 421 /)
      expect(reply).not.toContain('secret')
    },
  )
})

describe('routes', () => {
  test.each([
    ['/reads/{id+}', '/reads/demo/x.y', { id: 'demo/x.y' }],
    ['/reads/{id+}', '/reads/a%2Fb/../c%20', { id: 'a%2Fb/../c%20' }],
    ['/reads/{id+}', '/reads//x', { id: '/x' }],
    ['/reads/{id+}', '/reads/', undefined],
    ['/reads/{id+}', '/reads', undefined],
    ['/reads/{id+}', '/read/x', undefined],
    ['/a/{b}/c', '/a/x/c', { b: 'x' }],
    ['/a/{b}/c', '/a/x/d', undefined],
    ['/a/{b}/c', '/a//c', undefined],
    ['/a/{b}', '/a/x/y', undefined],
    ['/a', '/a', {}],
  ])('%s and %s', (resource, path, expected) => {
    expect(matchRoute({ resource }, path)?.parameters).toEqual(expected)
  })
})

describe('requests become events of API Gateway', () => {
  test('with path, query and headers, all their values', async () => {
    const { port } = await serve({ routes: [reads] })
    const reply = await raw(
      port,
      'GET /reads/demo/a%20b%2Fc?format=BAM&tags=NM&tags=&x=%C3%A4+b HTTP/1.1\r\nHost: localhost:1\r\n' +
        'X-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n',
    )
    const event = JSON.parse(reply.slice(reply.indexOf('\r\n\r\n'))) as APIGatewayProxyEvent
    expect(event).toMatchObject({
      resource: '/reads/{id+}',
      path: '/reads/demo/a%20b%2Fc',
      httpMethod: 'GET',
      pathParameters: { id: 'demo/a%20b%2Fc' },
      queryStringParameters: { format: 'BAM', tags: '', x: 'ä b' },
      multiValueQueryStringParameters: { format: ['BAM'], tags: ['NM', ''], x: ['ä b'] },
      headers: { Host: 'localhost:1', 'X-A': '2' },
      multiValueHeaders: { 'X-A': ['1', '2'] },
      body: null,
      isBase64Encoded: false,
      requestContext: {
        domainName: 'localhost:1',
        resourcePath: '/reads/{id+}',
        identity: { sourceIp: '127.0.0.1' },
      },
    })
    expect(event.requestContext.requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('without a query there is none', async () => {
    const { url } = await serve({ routes: [reads] })
    const event = await eventOf(await fetch(`${url}/reads/x`))
    expect(event.queryStringParameters).toBeNull()
    expect(event.multiValueQueryStringParameters).toBeNull()
  })

  test('with a body as text, or in base64 where it is none', async () => {
    const { url } = await serve({ routes: [reads] })
    const post = async (body: string | Uint8Array<ArrayBuffer>) =>
      eventOf(await fetch(`${url}/reads/x`, { method: 'POST', body }))
    expect(await post('{"ä":1}')).toMatchObject({ body: '{"ä":1}', isBase64Encoded: false })
    expect(await post(Uint8Array.of(0xff, 0xfe))).toMatchObject({ body: '//4=', isBase64Encoded: true })
  })

  test('with a body of bounded size, declared or not', async () => {
    const { url, port } = await serve({ routes: [reads], maxBodyBytes: 1000 })
    const post = (body: string) => fetch(`${url}/reads/x`, { method: 'POST', body })
    expect((await post('x'.repeat(1000))).status).toBe(200)
    const refused = await post('x'.repeat(1001))
    expect(refused.status).toBe(413)
    expect(await refused.json()).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      htsget: { error: 'PayloadTooLarge' },
    })
    const chunk = `1f4\r\n${'x'.repeat(500)}\r\n`
    const head =
      'POST /reads/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
    expect(await raw(port, `${head}${chunk.repeat(3)}0\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 /)
    expect(await raw(port, `${head}${chunk.repeat(2)}0\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /)
  })
})

describe('replies', () => {
  const answer = async (reply: unknown) => {
    const { url } = await serve({ routes: [{ ...reads, handler: async () => reply }] })
    return fetch(`${url}/reads/x`)
  }

  test('have status, headers of one and of many values, and a body of text or base64', async () => {
    const reply = await answer({
      statusCode: 206,
      headers: { 'X-One': 'a', 'X-Number': 7 },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      body: Buffer.from([0, 255]).toString('base64'),
      isBase64Encoded: true,
    })
    expect(reply.status).toBe(206)
    expect(reply.headers.get('x-one')).toBe('a')
    expect(reply.headers.get('x-number')).toBe('7')
    expect(reply.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect([...new Uint8Array(await reply.arrayBuffer())]).toEqual([0, 255])
  })

  test('a handler that fails is a 500 without its message or stack', async () => {
    const fail = async () => {
      throw new Error('secret detail')
    }
    const { url } = await serve({ routes: [{ ...reads, handler: fail }] })
    const reply = await fetch(`${url}/reads/x`)
    expect(reply.status).toBe(500)
    expect(await reply.json()).toEqual({ code: 'INTERNAL', message: 'an error of the server itself' })
    expect(errors).toHaveLength(1)
    expect((await answer({ statusCode: 200, headers: { 'bad header': '1' }, body: '' })).status).toBe(500)
  })

  test('paths that are not there, and methods that they do not take', async () => {
    const { url } = await serve({ routes: [reads], status: () => [] })
    for (const path of ['/', '/reads', '/inbox/a/b', '/nothing']) {
      const reply = await fetch(url + path)
      expect([path, reply.status]).toEqual([path, 404])
      expect(await reply.json()).toMatchObject({ code: 'NOT_FOUND', htsget: { error: 'NotFound' } })
    }
    const reply = await fetch(`${url}/reads/x`, { method: 'DELETE' })
    expect(reply.status).toBe(405)
    expect(reply.headers.get('allow')).toBe('GET, POST')
    expect((await fetch(`${url}/status`, { method: 'POST' })).status).toBe(405)
  })

  test('the status is what the callback says at the time', async () => {
    const files: unknown[] = []
    const { url } = await serve({ status: () => files })
    expect(await (await fetch(`${url}/status`)).json()).toEqual([])
    files.push({ dataset: 'demo', state: 'served' })
    expect(await (await fetch(`${url}/status?x=1`)).json()).toEqual(files)
  })
})

describe('streaming handlers, as middy makes them', () => {
  const streamed = (handler: (event: APIGatewayProxyEvent) => unknown): Route => ({
    methods: ['GET', 'HEAD'],
    resource: '/data/{proxy+}',
    handler: middy({ executionMode: executionModeStreamifyResponse }).handler(handler as never) as never,
  })
  const reply = (body: unknown, headers: Record<string, string> = {}) => ({ statusCode: 200, headers, body })

  test('status, headers and a body that comes piece by piece', async () => {
    const pieces = Array.from({ length: 50 }, (_, i) => Buffer.alloc(70_000, i))
    const route = streamed(async event => ({
      statusCode: 206,
      headers: { 'Content-Length': '3500000', 'X-Token': event.pathParameters!['proxy']! },
      body: Readable.from(pieces, { objectMode: false }),
    }))
    const { url } = await serve({ routes: [route] })
    const got = await fetch(`${url}/data/a/b`)
    expect(got.status).toBe(206)
    expect(got.headers.get('x-token')).toBe('a/b')
    expect(Buffer.concat(pieces).equals(Buffer.from(await got.arrayBuffer()))).toBe(true)
    const head = await fetch(`${url}/data/a`, { method: 'HEAD' })
    expect(head.status).toBe(206)
    expect(head.headers.get('content-length')).toBe('3500000')
    expect(errors).toEqual([])
  })

  test('a body of text, or none', async () => {
    const { url } = await serve({ routes: [streamed(async () => ({ statusCode: 403, body: 'no' }))] })
    const got = await fetch(`${url}/data/x`)
    expect([got.status, await got.text()]).toEqual([403, 'no'])
    const empty = await serve({ routes: [streamed(async () => ({ statusCode: 204, headers: { A: 'b' } }))] })
    expect((await fetch(`${empty.url}/data/x`)).status).toBe(204)
  })

  test('a handler that fails at once is a 500', async () => {
    const fail = async () => {
      throw new Error('secret detail')
    }
    const { url } = await serve({ routes: [streamed(fail)] })
    const got = await fetch(`${url}/data/x`)
    expect(got.status).toBe(500)
    expect(await got.text()).not.toContain('secret')
  })

  test('a body that breaks off, or is not as long as declared, is not taken for whole', async () => {
    const breaks = async function* () {
      yield Buffer.alloc(100)
      throw new Error('the storage went away')
    }
    const short = async function* () {
      yield Buffer.alloc(100)
    }
    for (const [body, length] of [
      [breaks, '200'],
      [breaks, undefined],
      [short, '200'],
    ] as const) {
      const headers = length === undefined ? {} : { 'Content-Length': length }
      const route = streamed(async () => reply(Readable.from(body(), { objectMode: false }), headers))
      const { url } = await serve({ routes: [route] })
      const failure = await fetch(`${url}/data/x`)
        .then(got => got.arrayBuffer())
        .catch((error: unknown) => error)
      // Jest's modules have an Error of their own.
      expect(Object.prototype.toString.call(failure)).toBe('[object Error]')
    }
    expect(errors).toHaveLength(3)
  })

  test('a client that stops reading stops the source; one that leaves ends it', async () => {
    let given = 0
    let ended: () => void = () => undefined
    const end = new Promise<void>(resolve => (ended = resolve))
    const endless = async function* () {
      try {
        for (;;) {
          given += 1 << 16
          yield Buffer.alloc(1 << 16)
        }
      } finally {
        ended()
      }
    }
    const route = streamed(async () => reply(Readable.from(endless(), { objectMode: false })))
    const { port } = await serve({ routes: [route] })
    const client = httpRequest({ port, path: '/data/x' })
    client.end()
    const [response] = (await once(client, 'response')) as [Readable]
    response.pause()
    let before = -1
    // Until the buffers between source and client are full: what they hold is the system's choice, not endless.
    while (given !== before) {
      before = given
      for (let i = 0; i < 200; i++) await new Promise(resolve => setImmediate(resolve))
    }
    expect(given).toBeLessThan(64 << 20)
    response.destroy()
    await end
    expect(errors).toEqual([])
  })
})

describe('uploads', () => {
  const newInbox = async (options: Partial<ServerOptions['inbox']> = {}) => {
    const store = folderStore(join(scratch, String(++count)))
    const uploaded: string[] = []
    const inbox = {
      store,
      readName: parseUploadKey,
      onUpload: ({ key }: { key: string }) => uploaded.push(key),
      ...options,
    }
    return { store, uploaded, ...(await serve({ inbox: inbox })) }
  }
  const keysOf = async (store: ReturnType<typeof folderStore>) => {
    const keys: string[] = []
    for await (const { key } of store.list('')) keys.push(key)
    return keys
  }

  test('are kept under dataset and name, slashes, dots and spaces included', async () => {
    const { url, store, uploaded } = await newInbox()
    const bytes = Buffer.alloc(3_000_000, 7)
    const reply = await fetch(`${url}/inbox/demo/run%201/x.y.%C3%A4.bam?ignored`, {
      method: 'PUT',
      body: bytes,
    })
    expect(reply.status).toBe(201)
    expect(await reply.json()).toEqual({
      dataset: 'demo',
      name: 'run 1/x.y.ä.bam',
      bytes: 3_000_000,
      status: `${url}/status`,
    })
    expect(bytes.equals((await store.get('demo/run 1/x.y.ä.bam', 3_000_000))!.bytes)).toBe(true)
    expect(uploaded).toEqual(['demo/run 1/x.y.ä.bam'])
  })

  test.each([
    ['x.bam', 'NO_DATASET'],
    ['demo/', 'INVALID_NAME'],
    ['demo//x', 'INVALID_NAME'],
    ['demo/../../x', 'INVALID_NAME'],
    ['demo/%2e%2e/%2E%2e/x', 'INVALID_NAME'],
    ['demo%2f..%2f..%2fx', 'INVALID_NAME'],
    ['demo/a%00b', 'INVALID_NAME'],
    ['demo/%ff', 'INVALID_NAME'],
    ['demo/%', 'INVALID_NAME'],
    ['demo/.hidden', 'INVALID_NAME'],
    ['demo/x.bam.refused.json', 'INVALID_NAME'],
  ])('named %s are refused: %s', async (path, code) => {
    const { port, store } = await newInbox()
    const reply = await raw(
      port,
      `PUT /inbox/${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 5\r\n\r\nbytes`,
    )
    expect(reply).toMatch(/^HTTP\/1.1 400 /)
    expect(JSON.parse(reply.slice(reply.indexOf('\r\n\r\n')))).toMatchObject({
      code,
      hint: expect.any(String),
    })
    expect(await keysOf(store)).toEqual([])
  })

  test('ask before they send, and are told', async () => {
    const { port, store } = await newInbox()
    const send = async (path: string) => {
      const client = httpRequest({
        port,
        path,
        method: 'PUT',
        headers: { Expect: '100-continue', 'Content-Length': 5 },
      })
      let asked = false
      client.on('continue', () => {
        asked = true
        client.end('bytes')
      })
      client.flushHeaders()
      const [response] = (await once(client, 'response')) as [Readable & { statusCode: number }]
      response.resume()
      client.destroy()
      return [asked, response.statusCode]
    }
    expect(await send('/inbox/demo/x.bam')).toEqual([true, 201])
    expect(await send('/inbox/x.bam')).toEqual([false, 400])
    expect(await keysOf(store)).toEqual(['demo/x.bam'])
  })

  test('that break off leave nothing', async () => {
    let ended: () => void = () => undefined
    const end = new Promise<void>(resolve => (ended = resolve))
    const real = folderStore(join(scratch, String(++count)))
    const store = {
      ...real,
      async create(key: string) {
        const upload = await real.create(key)
        return { ...upload, abort: () => upload.abort().then(ended) }
      },
    }
    const { port, uploaded } = await newInbox({ store })
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `PUT /inbox/demo/x.bam HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n${'x'.repeat(100_000)}`,
    )
    await once(socket, 'connect')
    socket.end()
    await end
    expect(await keysOf(real)).toEqual([])
    expect(uploaded).toEqual([])
    expect(errors).toEqual([])
    socket.destroy()
  })

  test('that the store cannot take are told so', async () => {
    const real = folderStore(join(scratch, String(++count)))
    const { HtsvaultError } = await import('#shared/errors.ts')
    const store = {
      ...real,
      async create(key: string) {
        const upload = await real.create(key)
        const write = async () => {
          throw new HtsvaultError('STORE_UNAVAILABLE', 'there is no room left: ENOSPC')
        }
        return { ...upload, write }
      },
    }
    const { url } = await newInbox({ store })
    const reply = await fetch(`${url}/inbox/demo/x.bam`, { method: 'PUT', body: Buffer.alloc(4_000_000) })
    expect(reply.status).toBe(503)
    expect(await reply.json()).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})

describe('the server', () => {
  test('says so where its port is taken', async () => {
    const { port } = await serve({})
    await expect(startServer({ port, routes: [] })).rejects.toEqual(
      expect.objectContaining({ name: 'HtsvaultError', code: 'PORT_TAKEN' }),
    )
  })

  test('lets requests under way end when it closes, and takes no more', async () => {
    let go: () => void = () => undefined
    let began: () => void = () => undefined
    const begun = new Promise<void>(resolve => (began = resolve))
    const held = new Promise<void>(resolve => (go = resolve))
    const handler = async () => {
      began()
      await held
      return { statusCode: 200, body: 'done' }
    }
    const server = await serve({ routes: [{ ...reads, handler }] })
    const reply = fetch(`${server.url}/reads/x`)
    await begun
    const closed = server.close(60_000)
    await expect(fetch(`${server.url}/reads/y`)).rejects.toThrow()
    go()
    expect(await (await reply).text()).toBe('done')
    await closed
  })

  test('ends what does not end by itself after the grace', async () => {
    let began: () => void = () => undefined
    const begun = new Promise<void>(resolve => (began = resolve))
    const handler = () => {
      began()
      return new Promise(() => undefined)
    }
    const server = await serve({ routes: [{ ...reads, handler }] })
    const reply = fetch(`${server.url}/reads/x`).catch(() => 'ended')
    await begun
    await server.close(1)
    expect(await reply).toBe('ended')
  })
})
