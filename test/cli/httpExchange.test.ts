import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, Gunzip, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { httpExchange } from '#cli/stream/httpExchange.ts'
import { streamTicket } from '#shared/client/streamTicket.ts'
import { joined, outcome, ticketOf } from '#test/client/support.ts'

const quick = { exchange: httpExchange, retryMs: 1, tries: 2 }
const file = Buffer.alloc(200_000, 'file ')
let answer: RequestListener = (_, response) => void response.end(file)
let connections = 0
let url = ''
const server = createServer((request, response) => answer(request, response))
server.on('connection', () => connections++)

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

test('connections serve block after block, and outlive the ticket that they were made for', async () => {
  const blocks = Array.from({ length: 5 }, () => ({ url }))
  for (let i = 0; i < 3; i++) {
    const bytes = await joined(streamTicket(ticketOf(...blocks), { ...quick, parallel: 1 }))
    expect(bytes).toHaveLength(5 * file.length)
    // Time to break, for one that the end of the ticket would have ended.
    await sleep(10)
  }
  // The next block may be asked for before the last one's end was looked at.
  expect(connections).toBeLessThanOrEqual(2)
})

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
] as const)('what a server compresses unasked, by %s, is decoded', async (coding, compress) => {
  answer = (_, response) => response.writeHead(200, { 'content-encoding': coding }).end(compress(file))
  expect((await joined(streamTicket(ticketOf({ url }), quick))).equals(file)).toBe(true)
})

test('what is said to be compressed and is not, or is cut off, is an error', async () => {
  answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(file)
  expect(await outcome(streamTicket(ticketOf({ url }), quick))).toBe('SERVER_UNREACHABLE')
  const cut = gzipSync(file).subarray(0, -20)
  answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(cut)
  expect(await outcome(streamTicket(ticketOf({ url }), quick))).toBe('SERVER_UNREACHABLE')
})

test('what is compressed is not decoded to its end when nobody wants it any more', async () => {
  const bomb = gzipSync(Buffer.alloc(16 << 20))
  const decoded = jest.spyOn(Gunzip.prototype, 'push')
  answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
  const incoming = await httpExchange(
    { url, headers: {} },
    { signal: new AbortController().signal, redirect: 'manual' },
  )
  await incoming.read()
  // Until all of it has come: what has not is given up anyway.
  await sleep(50)
  const before = decoded.mock.calls.length
  incoming.cancel()
  await expect(incoming.read()).rejects.toThrow()
  expect(before).toBeGreaterThan(0)
  expect(decoded.mock.calls.length - before).toBeLessThan(10)
  decoded.mockRestore()
})

test('a password in a URL is sent to nobody', async () => {
  let asked = 0
  answer = (_, response) => {
    asked++
    response.end(file)
  }
  const withPassword = url.replace('//', '//me:secret@')
  expect(await outcome(streamTicket(ticketOf({ url: withPassword }), quick))).toBe('SERVER_UNREACHABLE')
  expect(asked).toBe(0)
})
