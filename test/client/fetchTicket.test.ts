import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fetchTicket } from '#shared/client/fetchTicket.ts'
import { streamFile } from '#shared/client/streamFile.ts'
import { streamTicket } from '#shared/client/streamTicket.ts'
import { maxTicketBytes, readTicket } from '#shared/client/Ticket.ts'
import { planRequest } from '#shared/client/TicketQuery.ts'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { codeOf, makeFile, newKeys } from '#test/crypt4gh/support.ts'
import { FaultServer, type Fault } from './FaultServer.ts'
import { dataUrl, joined, outcome, ticketOf, transports, writtenTicket, type WrittenUrl } from './support.ts'

const server = new FaultServer()
const other = new FaultServer()
beforeAll(async () => {
  await server.start()
  await other.start()
})
afterAll(async () => {
  await server.stop()
  await other.stop()
})

const bytesOf = (text: string) => new TextEncoder().encode(text)
const ticket = (...urls: WrittenUrl[]) => bytesOf(writtenTicket(urls))
const status = (code: number, headers?: Record<string, string>, body?: string): Fault => ({
  kind: 'status',
  status: code,
  ...(headers && { headers }),
  ...(body !== undefined && { body }),
})

describe.each(transports)('by %s: a request for a ticket', (_, quick) => {
  const regions = [{ referenceName: 'HLA-A*01:01', start: 9, end: 20 }, { referenceName: 'chr 2&x' }]

  test('asks for up to one region by GET', () => {
    expect(planRequest('https://h/reads/a/b', {})).toEqual({ method: 'GET', url: 'https://h/reads/a/b' })
    const { url } = planRequest('https://h/reads/a', { format: 'CRAM', regions: [regions[0]!], tags: [] })
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      format: 'CRAM',
      referenceName: 'HLA-A*01:01',
      start: '9',
      end: '20',
      tags: '',
    })
    const odd = planRequest(
      { server: 'https://h/x/', datatype: 'reads', id: 'a b/ü?' },
      { regions: [regions[1]!] },
    )
    expect(odd.url).toBe('https://h/x/reads/a%20b/%C3%BC%3F?referenceName=chr%202%26x')
  })

  test('asks for several by POST, and takes into the body what htsget has in the URL', () => {
    const { url, method, body } = planRequest('https://h/reads/a?format=BAM&fields=QNAME,FLAG&sig=1', {
      regions,
      notags: ['OQ'],
    })
    expect({ url, method, body: JSON.parse(body!) as unknown }).toEqual({
      url: 'https://h/reads/a?sig=1',
      method: 'POST',
      body: { format: 'BAM', fields: ['QNAME', 'FLAG'], notags: ['OQ'], regions },
    })
  })

  test.each([
    ['https://h/reads/a?referenceName=1', { regions: [regions[0]!] }, 'QUERY_CONFLICT'],
    ['https://h/reads/a?format=BAM', { format: 'CRAM' as const }, 'QUERY_CONFLICT'],
    ['ftp://h/reads/a', {}, 'URL_INVALID'],
    ['https://me:secret@h/reads/a', {}, 'URL_INVALID'],
    ['nonsense', {}, 'URL_INVALID'],
  ])('of %s with %j is told to be wrong', async (url, query, code) => {
    expect(await codeOf(() => planRequest(url, query))).toBe(code)
  })

  test('carries the token and the public key, to its server alone', async () => {
    const data = other.serve('/data', bytesOf('file'))
    const url = server.serve('/reads/x', ticket({ url: data, headers: { 'X-Data': 'd' } }))
    const key = newKeys()
    const query = { recipient: key.publicKey }
    const got = await joined(streamTicket(await fetchTicket(url, query, { ...quick, token: 'T0K' })))
    expect(got.toString()).toBe('file')
    const { headers } = server.seen.at(-1)!
    expect(headers.authorization).toBe('Bearer T0K')
    const sent = Buffer.from(String(headers['htsget-context-public-key']), 'base64').toString()
    expect(sent).toContain('BEGIN CRYPT4GH PUBLIC KEY')
    expect(readPublicKey(sent)).toEqual(key.publicKey)
    const atData = other.seen.at(-1)!.headers
    expect([atData['x-data'], atData.authorization, atData['htsget-context-public-key']]).toEqual([
      'd',
      undefined,
      undefined,
    ])
  })

  test('carries no token unencrypted over a network', async () => {
    expect(await codeOf(() => fetchTicket('http://example.org/reads/x', {}, { token: 't' }))).toBe(
      'TOKEN_UNSAFE',
    )
  })
})

describe.each(transports)('by %s: redirections', (_, quick) => {
  const moved = (url: string, code = 302) => status(code, { location: url })

  test('take no secret to another host', async () => {
    other.serve('/reads/x', ticket({ url: dataUrl(bytesOf('a')) }))
    const url = server.serve('/moved', bytesOf(''), [moved(`${other.url}/reads/x`)])
    await fetchTicket(url, { recipient: newKeys().publicKey }, { ...quick, token: 'T0K' })
    const { headers } = other.seen.at(-1)!
    expect(headers.authorization).toBeUndefined()
    expect(headers['htsget-context-public-key']).toBeUndefined()
  })

  test('of data keep the range and no other header', async () => {
    other.serve('/there', bytesOf('0123456789'))
    const url = server.serve('/here', bytesOf(''), [moved(`${other.url}/there`, 307)])
    const block = { url, headers: { Range: 'bytes=2-5', 'X-Api-Key': 'secret' } }
    expect((await joined(streamTicket(ticketOf(block), quick))).toString()).toBe('2345')
    expect(other.seen.at(-1)!.headers).toMatchObject({ range: 'bytes=2-5' })
    expect(other.seen.at(-1)!.headers['x-api-key']).toBeUndefined()
  })

  test('on the same host keep everything', async () => {
    server.serve('/new', ticket())
    const url = server.serve('/old', bytesOf(''), [moved('/new', 301)])
    await fetchTicket(url, {}, { ...quick, token: 'T0K' })
    expect(server.seen.at(-1)).toMatchObject({ path: '/new', headers: { authorization: 'Bearer T0K' } })
  })

  test('that would ask something else, lead nowhere or in circles, are refused', async () => {
    const regions = [{ referenceName: 'a' }, { referenceName: 'b' }]
    const post = server.serve('/p', bytesOf(''), [moved('/new')])
    expect(await codeOf(() => fetchTicket(post, { regions }, quick))).toBe('REDIRECT_REFUSED')
    for (const to of ['/circle', 'file:///etc/passwd', 'http://[', ''])
      expect(
        await codeOf(() =>
          fetchTicket(server.serve('/circle', bytesOf(''), new Array<Fault>(9).fill(moved(to))), {}, quick),
        ),
      ).toBe('REDIRECT_REFUSED')
  })

  test('of a POST that stays one are followed', async () => {
    server.serve('/q2', ticket())
    const url = server.serve('/q1', bytesOf(''), [moved('/q2', 308)])
    await fetchTicket(url, { regions: [{ referenceName: 'a' }, { referenceName: 'b' }] }, quick)
    expect(server.seen.at(-1)).toMatchObject({
      method: 'POST',
      path: '/q2',
      body: expect.stringContaining('"a"'),
    })
  })
})

describe.each(transports)('by %s: an answer', (_, quick) => {
  const told = (error: string) => JSON.stringify({ htsget: { error, message: 'why\u001b[31m\n so' } })

  test.each([
    [status(401, {}, told('InvalidAuthentication')), 'INVALID_AUTHENTICATION'],
    [status(403, {}, '<html>'), 'PERMISSION_DENIED'],
    [status(404, {}, told('NotFound')), 'NOT_FOUND'],
    [status(413), 'PAYLOAD_TOO_LARGE'],
    [status(400, {}, told('UnsupportedFormat')), 'UNSUPPORTED_FORMAT'],
    [status(400, {}, told('InvalidInput')), 'INVALID_INPUT'],
    [status(400, {}, told('InvalidRange')), 'INVALID_RANGE'],
    [status(400, {}, 'null'), 'SERVER_FAILED'],
    [status(418), 'SERVER_FAILED'],
    [status(200, { 'content-type': 'text/html' }, '<html>Sign in</html>'), 'TICKET_INVALID'],
    [status(200, { 'content-type': 'application/json' }, '{"htsget":'), 'TICKET_INVALID'],
    [status(200, {}, '{"htsget":{"urls":{}}}'), 'TICKET_INVALID'],
  ])('of %j is %s', async (fault, code) => {
    const url = server.serve('/answer', bytesOf(''), [fault])
    const error = await fetchTicket(url, {}, quick).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(HtsvaultError)
    expect((error as HtsvaultError).code).toBe(code)
    // What a server says does not reach into the terminal.
    expect((error as HtsvaultError).message).not.toMatch(/[\x00-\x1f\x7f]/)
  })

  test('of a server that is busy is waited for', async () => {
    const url = server.serve('/busy', ticket(), [status(503), status(429), status(500)])
    expect((await fetchTicket(url, {}, quick)).blocks).toEqual([])
    const gone = server.serve('/gone', ticket(), new Array<Fault>(9).fill(status(502)))
    expect(await codeOf(() => fetchTicket(gone, {}, quick))).toBe('SERVER_FAILED')
  })

  test('that has no end is not held', async () => {
    const endless = createServer((_, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(1 << 20, ' ')));
        response.once('drain', more)
      }
      more()
    })
    await new Promise<void>(resolve => endless.listen(0, '127.0.0.1', resolve))
    const { port } = endless.address() as { port: number }
    expect(await codeOf(() => fetchTicket(`http://127.0.0.1:${port}/`, {}, quick))).toBe('TICKET_INVALID')
    endless.closeAllConnections()
    endless.close()
    expect(maxTicketBytes).toBeLessThan(1 << 27)
  }, 30_000)

  test.each([
    [{ url: 'file:///etc/passwd' }],
    [{ url: 'nonsense' }],
    [{ url: 'https://h/', headers: { 'X-A': 'a\r\nHost: b' } }],
    [{ url: 'https://h/', headers: { 'not a name': 'a' } }],
    [{ url: 'https://h/', class: 'tail' }],
  ])('with the block %j is no ticket', async block => {
    expect(await codeOf(() => readTicket(writtenTicket([block])))).toBe('TICKET_INVALID')
  })

  test('sets no header of the connection', () => {
    const headers = { Host: 'evil', 'Content-Length': '3', Range: 'bytes=0-1', Authorization: 'Bearer data' }
    expect(ticketOf({ url: 'https://h/', headers }).blocks[0]!.headers).toEqual({
      Range: 'bytes=0-1',
      Authorization: 'Bearer data',
    })
  })

  test.each([
    ['data:;base64,aGk=', 'hi'],
    ['data:application/octet-stream;base64,aGk=', 'hi'],
    ['data:;base64,aGk%3D', 'hi'],
    ['data:;base64,', ''],
  ])('has the bytes of %s inline', async (url, text) => {
    expect((await joined(streamTicket(ticketOf({ url })))).toString()).toBe(text)
  })

  test.each(['data:,hi', 'data:text/plain,hi', 'data:;base64,a', 'data:;base64,%ZZ'])(
    'cannot have %s inline',
    async url => {
      expect(await outcome(streamTicket(ticketOf({ url })))).toBe('TICKET_INVALID')
    },
  )
})

describe.each(transports)('by %s: an encrypted answer', (_, quick) => {
  const plain = Uint8Array.from(randomBytes(200_000))
  const key = newKeys()
  // Two bytes off the first segment, then a stretch over the border of segments.
  const { file, headerLength } = makeFile(plain, key, [2, 70_000, 1000, 50])
  const kept = Buffer.concat([plain.subarray(2, 70_002), plain.subarray(71_002, 71_052)])

  test('is decrypted, header inline and segments by ranges, its edit list applied', async () => {
    const body = server.serve('/sealed', file, [{ kind: 'break', after: 40_000 }])
    const url = server.serve(
      '/reads/sealed',
      ticket(
        { url: dataUrl(file.subarray(0, headerLength)), class: 'header' },
        { url: body, headers: { Range: `bytes=${headerLength}-${headerLength + 99_999}` }, class: 'body' },
        {
          url: body,
          headers: { Range: `bytes=${headerLength + 100_000}-${file.length - 1}` },
          class: 'body',
        },
      ),
    )
    for (const backend of [nodeBackend, undefined]) {
      const got = await joined(streamFile(url, {}, { ...quick, key, ...(backend && { backend }) }))
      expect(got.equals(kept)).toBe(true)
    }
    const asked = server.seen.findLast(({ path }) => path === '/reads/sealed')!
    expect(asked.headers['htsget-context-public-key']).toBeDefined()
  })

  test('for another key, or not encrypted at all, is refused', async () => {
    const sealed = server.serve('/reads/other', ticket({ url: dataUrl(file) }))
    expect(await outcome(streamFile(sealed, {}, { ...quick, key: newKeys() }))).toBe('CRYPT4GH_WRONG_KEY')
    const open = server.serve('/reads/open', ticket({ url: dataUrl(plain) }))
    expect(await outcome(streamFile(open, {}, { ...quick, key }))).toBe('NOT_CRYPT4GH')
  })

  test('whose ticket expires goes on by a new one', async () => {
    const body = server.serve('/sealed-2', file, [{ kind: 'break', after: 90_000 }, status(403), status(403)])
    const first = ticket({ url: body })
    const second = ticket({ url: server.serve('/sealed-3', file) })
    const url = server.serve('/reads/renewed', second, [
      status(200, { 'content-type': 'application/json' }, new TextDecoder().decode(first)),
    ])
    expect((await joined(streamFile(url, {}, { ...quick, key }))).equals(kept)).toBe(true)
  })
})
