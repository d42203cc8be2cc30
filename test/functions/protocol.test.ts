import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import type { LocalServer } from '#shared/local/httpServer.ts'
import { filledVault, serveVault, type FilledVault } from '#test/support/servedVault.ts'

const demo = (name: string) => join(import.meta.dirname, '..', '..', 'demo', name)
const odd = 'my study/Läufe, 2026/a.b+c%20d=é.x'

let vault: FilledVault
let server: LocalServer
beforeAll(async () => {
  vault = await filledVault({
    'demo/child.bam': demo('child.bam'),
    'demo/child.cram': demo('child.cram'),
    'demo/only.cram': demo('child.cram'),
    'demo/trio.vcf.gz': demo('trio.vcf.gz'),
    [`${odd}.bcf`]: demo('trio.bcf'),
  })
  server = await serveVault(vault.ports)
})
afterAll(async () => {
  await server.close(0)
  vault.remove()
})

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
}

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

/** A request whose path is sent exactly as it is written here. */
function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ port: server.port, host: '127.0.0.1', path, method, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, bytes: Buffer.concat(chunks) }),
      )
    })
    sent.on('error', reject)
    if (body !== undefined) sent.setHeader('Content-Length', Buffer.byteLength(body))
    sent.end(body)
  })
}
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  })

interface TicketUrl {
  url: string
  class?: string
}
function ticketOf(reply: Reply): { format: string; urls: TicketUrl[] } {
  expect(reply.status).toBe(200)
  expect(reply.headers['content-type']).toBe('application/vnd.ga4gh.htsget.v1.3.0+json; charset=utf-8')
  expect(reply.bytes.toString()).toMatch(/^\{"htsget":/)
  return (JSON.parse(reply.bytes.toString()) as { htsget: { format: string; urls: TicketUrl[] } }).htsget
}
const pathOf = (url: string) => url.slice(server.url.length)
const dataUrlOf = (urls: TicketUrl[]) => pathOf(urls.find(({ url }) => url.startsWith('http'))!.url)

function expectError(reply: Reply, status: number, error: string): void {
  expect({ status: reply.status, type: reply.headers['content-type'] }).toEqual({
    status,
    type: 'application/json',
  })
  expect(JSON.parse(reply.bytes.toString())).toMatchObject({
    htsget: { error, message: expect.stringMatching(/\w/) },
  })
}

describe('an id', () => {
  test.each([
    ['/reads/demo/child', 'BAM'],
    ['/reads/demo%2Fchild', 'BAM'],
    ['/reads/%64emo/child', 'BAM'],
    ['/reads/demo/child?format=CRAM', 'CRAM'],
    ['/reads/demo/only', 'CRAM'],
    ['/variants/demo/trio', 'VCF'],
    [`/variants/${odd.split('/').map(encodeURIComponent).join('/')}`, 'BCF'],
    [`/variants/${encodeURIComponent(odd)}`, 'BCF'],
  ])('%s is one of %s', async (path, format) => {
    expect(ticketOf(await ask(path)).format).toBe(format)
  })

  test.each([
    '/reads/demo/nothing',
    '/reads/child',
    '/reads/demo/child.bam',
    '/reads/demo/trio',
    '/variants/demo/child',
    '/reads/demo//child',
    '/reads/demo/child/',
    '/reads/demo%5Cchild',
    '/reads/demo/../demo/child',
    '/reads/..%2Fvault%2Fdemo%2Fchild',
    '/reads/demo/.%2e/demo/child',
    '/reads/%00',
    '/reads/demo/%F0%9F%A7%AC',
    `/reads/demo/${'x'.repeat(5000)}`,
    `/reads/${'x/'.repeat(1000)}x`,
    '/reads/',
    '/reads',
    '/tickets/demo/child',
  ])('%.60s is NotFound', async path => {
    expectError(await ask(path), 404, 'NotFound')
  })

  test.each(['/reads/demo/%E0%A4%A', '/reads/%', '/reads/demo/%C3%28'])(
    '%s is no UTF-8: InvalidInput',
    async path => {
      expectError(await ask(path), 400, 'InvalidInput')
    },
  )

  test('of a file in another format than the one asked for is UnsupportedFormat', async () => {
    expectError(await ask('/reads/demo/only?format=BAM'), 400, 'UnsupportedFormat')
    expectError(await ask('/variants/demo/trio?format=BCF'), 400, 'UnsupportedFormat')
  })
})

describe('GET', () => {
  const id = '/reads/demo/child'
  test.each([
    [`${id}?format=SAM`, 400, 'UnsupportedFormat'],
    [`${id}?class=body`, 400, 'InvalidInput'],
    [`${id}?class=header&referenceName=chr1`, 400, 'InvalidInput'],
    [`${id}?referenceName=chr9`, 404, 'NotFound'],
    [`${id}?start=1`, 400, 'InvalidInput'],
    [`${id}?referenceName=*&end=1`, 400, 'InvalidInput'],
    [`${id}?referenceName=chr1&start=-1`, 400, 'InvalidInput'],
    [`${id}?referenceName=chr1&start=1&start=1`, 400, 'InvalidInput'],
    [`${id}?referenceName=chr1&referenceName=chr2`, 400, 'InvalidInput'],
    [`${id}?referenceName=chr1&start=9&end=8`, 400, 'InvalidRange'],
    [`${id}?tags=NM&notags=NM`, 400, 'InvalidInput'],
    [`${id}?encryptionScheme=rot13`, 400, 'InvalidInput'],
    ['/variants/demo/trio?referenceName=*', 404, 'NotFound'],
  ])('%s: %i %s', async (path, status, error) => {
    expectError(await ask(path), status, error)
  })

  test('of no base, of a reference without records and of a region beyond its end are valid and empty', async () => {
    const header = ticketOf(await ask(`${id}?class=header`)).urls
    for (const region of [
      'referenceName=chr1&start=5&end=5',
      'referenceName=chr1&start=4294967294&end=4294967295',
      'referenceName=chr1&start=2000000',
    ])
      expect(ticketOf(await ask(`${id}?${region}`)).urls).toEqual(header)
  })

  test('passes over what htsget does not know, and a body', async () => {
    const reply = await ask(`${id}?class=header&_=17&utm_source=x`, { body: '{"class":"body"}' })
    expect(ticketOf(reply).urls).toHaveLength(2)
  })

  test('takes the version that the client says it speaks', async () => {
    const headers = { Accept: 'application/vnd.ga4gh.htsget.v1.0.0+json' }
    expect(ticketOf(await ask(id, { headers })).format).toBe('BAM')
  })
})

describe('POST', () => {
  const id = '/reads/demo/child'

  test('without a body, with an empty one and with {} asks for the whole file, as GET does', async () => {
    const whole = ticketOf(await ask(id)).urls.length
    for (const body of ['', '{}', ' \n']) expect(ticketOf(await post(id, body)).urls).toHaveLength(whole)
    expect(ticketOf(await ask(id, { method: 'POST' })).urls).toHaveLength(whole)
  })

  test('needs no content type', async () => {
    const reply = await ask(id, { method: 'POST', body: '{"class":"header"}' })
    expect(ticketOf(reply).urls).toHaveLength(2)
  })

  test.each<[string, unknown, number, string]>([
    ['no JSON', '{"regions":', 400, 'InvalidInput'],
    ['a form', 'format=BAM', 400, 'InvalidInput'],
    ['null', 'null', 400, 'InvalidInput'],
    ['a list', [], 400, 'InvalidInput'],
    ['a number', 7, 400, 'InvalidInput'],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400, 'InvalidInput'],
    ['NULs', '\0\0', 400, 'InvalidInput'],
    ['10,000 levels', '['.repeat(10_000), 400, 'InvalidInput'],
    ['no region', { regions: [] }, 400, 'InvalidInput'],
    ['a region without a reference', { regions: [{ start: 1 }] }, 400, 'InvalidInput'],
    ['a region of no base', { regions: [{ referenceName: 'chr1', start: 1, end: 1 }] }, 400, 'InvalidRange'],
    ['a position in text', { regions: [{ referenceName: 'chr1', start: '1' }] }, 400, 'InvalidInput'],
    ['a reference that there is not', { regions: [{ referenceName: 'chr9' }] }, 404, 'NotFound'],
    ['a format that there is not', { format: 'SAM' }, 400, 'UnsupportedFormat'],
    ['more than a header', { class: 'header', tags: [] }, 400, 'InvalidInput'],
    ['over 1 MiB', `{"x":"${'x'.repeat(1 << 20)}"}`, 413, 'PayloadTooLarge'],
  ])('of %s: %i %s', async (_name, body, status, error) => {
    expectError(await post(id, body), status, error)
  })

  test('of more than the server takes at all is PayloadTooLarge, told to a page too', async () => {
    const reply = await post(id, Buffer.alloc(10_000_001, 0x20), { Origin: 'https://igv.org' })
    expectError(reply, 413, 'PayloadTooLarge')
    expect(reply.headers['access-control-allow-origin']).toBe('https://igv.org')
  })

  test.each(['?format=BAM', '?referenceName=chr1', '?class=header', '?x=1'])(
    'with a query string (%s) is InvalidInput',
    async query => {
      expectError(await post(`${id}${query}`, { regions: [{ referenceName: 'chr1' }] }), 400, 'InvalidInput')
    },
  )

  test('of the same region twice, and of all of a reference and parts of it, is each once', async () => {
    const once = ticketOf(await post(id, { regions: [{ referenceName: 'chr2' }] }))
    const often = ticketOf(
      await post(id, {
        regions: [
          { referenceName: 'chr2', start: 5000, end: 9000 },
          { referenceName: 'chr2' },
          { referenceName: 'chr2' },
        ],
      }),
    )
    const bytesOf = async (urls: TicketUrl[]) => {
      const parts = await Promise.all(
        urls.map(async ({ url }) =>
          url.startsWith('data:;base64,')
            ? Buffer.from(url.slice('data:;base64,'.length), 'base64')
            : (await ask(pathOf(url))).bytes,
        ),
      )
      return Buffer.concat(parts)
    }
    const joined = await bytesOf(once.urls)
    expect((await bytesOf(often.urls)).equals(joined)).toBe(true)
    expect(readBgzf(joined).subarray(0, 4)).toEqual(Uint8Array.from([0x42, 0x41, 0x4d, 1]))
  })
})

describe('what is no method of a path', () => {
  test.each([
    ['/reads/demo/child', 'GET, POST, OPTIONS', ['HEAD', 'PUT', 'DELETE', 'PATCH']],
    ['/variants/demo/trio', 'GET, POST, OPTIONS', ['HEAD', 'PUT']],
    ['/data/x', 'GET, OPTIONS', ['HEAD', 'POST', 'PUT']],
  ])('%s: 405, and what it takes', async (path, allow, methods) => {
    for (const method of methods) {
      const reply = await ask(path, { method, headers: { Origin: 'https://igv.org' } })
      expect(reply.headers).toMatchObject({ allow, 'access-control-allow-origin': 'https://igv.org' })
      if (method === 'HEAD') expect([reply.status, reply.bytes.length]).toEqual([405, 0])
      else expectError(reply, 405, 'InvalidInput')
    }
  })
})

describe('service-info', () => {
  test.each([
    ['reads', ['BAM', 'CRAM']],
    ['variants', ['VCF', 'BCF']],
  ])('of %s has every field', async (datatype, formats) => {
    const reply = await ask(`/${datatype}/service-info`)
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json'])
    expect(JSON.parse(reply.bytes.toString())).toEqual({
      id: expect.stringMatching(/^\w+(\.\w+)+$/),
      name: expect.any(String),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      organization: { name: expect.any(String), url: expect.stringMatching(/^https:/) },
      type: { group: 'org.ga4gh', artifact: 'htsget', version: '1.3.0' },
      htsget: {
        datatype,
        formats,
        fieldsParameterEffective: expect.any(Boolean),
        tagsParametersEffective: expect.any(Boolean),
      },
      crypt4gh: { publicKey: expect.stringMatching(/^-----BEGIN CRYPT4GH PUBLIC KEY-----\n/) },
    })
  })
})

describe('CORS', () => {
  const origin = 'https://igv.org'
  const asked = 'authorization, x-odd-header,range'
  const exposes = { 'access-control-allow-origin': origin, vary: 'Origin' }

  test('a preflight of tickets and data is accepted, and echoes the origin and the headers asked for', async () => {
    for (const path of ['/reads/demo/child', '/variants/demo/trio', '/data/any', '/reads/service-info'])
      for (const method of ['GET', 'POST'] as const) {
        const reply = await ask(path, {
          method: 'OPTIONS',
          headers: {
            Origin: origin,
            'Access-Control-Request-Method': method,
            'Access-Control-Request-Headers': asked,
          },
        })
        expect(reply.status).toBe(204)
        expect(reply.headers).toMatchObject({
          ...exposes,
          'access-control-allow-headers': asked,
          'access-control-allow-methods': expect.stringContaining('GET'),
          'access-control-max-age': String(30 * 24 * 3600),
        })
      }
  })

  test('the origin is echoed on tickets, data and their errors; to nobody who has none', async () => {
    const data = dataUrlOf(ticketOf(await ask('/reads/demo/child')).urls)
    for (const [path, status] of [
      ['/reads/demo/child', 200],
      ['/reads/service-info', 200],
      ['/reads/demo/nothing', 404],
      ['/reads/demo/child?format=SAM', 400],
      [data, 200],
      ['/data/forged', 403],
    ] as const) {
      const reply = await ask(path, { headers: { Origin: origin } })
      expect([path, reply.status]).toEqual([path, status])
      expect(reply.headers).toMatchObject(exposes)
      const own = await ask(path)
      expect(own.headers).not.toHaveProperty('access-control-allow-origin')
      expect(own.headers.vary).toBe('Origin')
    }
    const range = { Origin: 'null', Range: 'bytes=99999999999-' }
    const reply = await ask(data, { headers: range })
    expect([reply.status, reply.headers['access-control-allow-origin']]).toEqual([416, 'null'])
  })
})

describe('a data URL', () => {
  test('is percent-encoded as it stands, takes GET, tells its length, and can be asked again and in parts', async () => {
    const path = dataUrlOf(ticketOf(await ask('/reads/demo/child?referenceName=chr1&start=10000&end=20000')).urls) // prettier-ignore
    expect(path).toMatch(/^\/data\/[\w.-]+$/)
    const whole = await ask(path)
    expect(whole.status).toBe(200)
    expect(whole.headers['content-length']).toBe(String(whole.bytes.length))
    expect((await ask(path)).bytes.equals(whole.bytes)).toBe(true)
    const size = whole.bytes.length
    for (const [range, from, to] of [
      ['bytes=0-99', 0, 100],
      [`bytes=100-`, 100, size],
      ['bytes=-50', size - 50, size],
      [`bytes=5-${size + 1000}`, 5, size],
    ] as const) {
      const part = await ask(path, { headers: { Range: range } })
      expect([part.status, part.headers['content-range']]).toEqual([206, `bytes ${from}-${to - 1}/${size}`])
      expect(part.bytes.equals(whole.bytes.subarray(from, to))).toBe(true)
    }
  })

  test('asked for beyond its range is 416, and no range widens what its token is for', async () => {
    const path = dataUrlOf(ticketOf(await ask('/reads/demo/child?referenceName=chr1&start=10000&end=20000')).urls) // prettier-ignore
    const { length } = (await ask(path)).bytes
    for (const range of [
      `bytes=${length}-`,
      `bytes=${length + 5}-${length + 9}`,
      'bytes=99999999999999999999-',
    ])
      expectError(await ask(path, { headers: { Range: range } }), 416, 'InvalidRange')
  })
})
