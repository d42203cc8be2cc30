import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readTicket } from '#shared/client/Ticket.ts'
import { streamTicket } from '#shared/client/streamTicket.ts'
import { FaultServer, type Fault } from './FaultServer.ts'
import { dataUrl, joined, outcome, ticketOf, transports, type WrittenUrl } from './support.ts'

const server = new FaultServer()
beforeAll(() => server.start())
afterAll(() => server.stop())

const file = Uint8Array.from(randomBytes(300_000))
let paths = 0
const newPath = () => `/file-${paths++}`

/** Bytes `start` to `end` of the file, told as one of the forms that tickets have. */
function urlFor(start: number, end: number, form: string, faults: readonly Fault[]): WrittenUrl {
  if (form === 'inline') return { url: dataUrl(file.subarray(start, end)) }
  if (form === 'own') return { url: server.serve(newPath(), file.slice(start, end), faults) }
  const last = form === 'open' ? '' : String(end - 1)
  return {
    url: server.serve(newPath(), form === 'open' ? file.slice(0, end) : file, faults),
    headers: { Range: `bytes=${start}-${last}` },
  }
}

const passing: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('status' as const), status: fc.constantFrom(429, 500, 502, 503, 504, 408) }),
  fc.record({ kind: fc.constant('break' as const), after: fc.nat(60_000) }),
  fc.constant({ kind: 'whole' as const }),
  fc.constant({ kind: 'chunked' as const }),
  fc.record({ kind: fc.constant('part' as const), bytes: fc.nat(60_000) }),
  fc.record({ kind: fc.constant('shifted' as const), by: fc.integer({ min: -5000, max: -1 }) }),
)
const lying: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant({ kind: 'changed' as const }),
  fc.record({ kind: fc.constant('shifted' as const), by: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ kind: fc.constant('status' as const), status: fc.constantFrom(400, 404, 418) }),
)

const plan = (fault: fc.Arbitrary<Fault>) =>
  fc.record({
    cuts: fc.array(fc.integer({ min: 1, max: file.length - 1 }), { maxLength: 5 }),
    forms: fc.array(fc.constantFrom('inline', 'own', 'range', 'open'), { minLength: 6, maxLength: 6 }),
    faults: fc.array(fc.array(fault, { maxLength: 3 }), { minLength: 6, maxLength: 6 }),
    parallel: fc.integer({ min: 1, max: 6 }),
    aheadBytes: fc.constantFrom(1, 10_000, 1 << 20),
  })

function blocksOf({
  cuts,
  forms,
  faults,
}: {
  cuts: number[]
  forms: string[]
  faults: Fault[][]
}): WrittenUrl[] {
  const ends = [...new Set([...cuts, file.length])].sort((a, b) => a - b)
  return ends.map((end, i) => urlFor(ends[i - 1] ?? 0, end, forms[i]!, faults[i]!))
}

describe.each(transports)('by %s: the joined blocks', (_, quick) => {
  test('are the file, however it is cut, told and fetched, and whatever passes by', async () => {
    await fc.assert(
      fc.asyncProperty(plan(passing), async drawn => {
        const { parallel, aheadBytes } = drawn
        const bytes = await joined(
          streamTicket(ticketOf(...blocksOf(drawn)), { ...quick, parallel, aheadBytes }),
        )
        expect(Buffer.compare(bytes, file)).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  test('are the file or a clear error, never other bytes, where servers are wrong', async () => {
    let errors = 0
    await fc.assert(
      fc.asyncProperty(plan(fc.oneof(passing, lying)), async drawn => {
        // A file that was another from the start cannot be known for one: what comes first is what counts.
        drawn.faults = drawn.faults.map(([first, ...rest]) => [
          first?.kind === 'changed'
            ? { kind: 'break' as const, after: 100 }
            : (first ?? { kind: 'break', after: 9 }),
          ...rest,
        ])
        const found = await outcome(streamTicket(ticketOf(...blocksOf(drawn)), quick))
        if (typeof found === 'string') {
          errors++
          expect(found).toMatch(/^(BLOCK_CHANGED|BLOCK_INVALID|SERVER_FAILED|NOT_FOUND)$/)
        } else if (!found.equals(file)) {
          // The first reply of a block, if it never said which file it is of, is believed.
          expect(drawn.faults.flat().some(fault => fault.kind === 'changed')).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
    expect(errors).toBeGreaterThan(5)
  })

  test('go on where a stalled connection stood', async () => {
    const path = newPath()
    const url = server.serve(path, file, [
      { kind: 'stall', after: 1000 },
      { kind: 'stall', after: 70_000 },
    ])
    expect((await joined(streamTicket(ticketOf({ url }), quick))).equals(file)).toBe(true)
    const ranges = server.seen.filter(({ path: seen }) => seen === path).map(({ headers }) => headers.range)
    expect(ranges).toEqual([undefined, 'bytes=1000-299999', 'bytes=71000-299999'])
  })

  test('keep the range of a URL that is signed with it, and pass over what had come', async () => {
    const path = newPath()
    const url = server.serve(path, file, [
      { kind: 'break', after: 5000 },
      { kind: 'status', status: 403, body: '<Error><Code>SignatureDoesNotMatch</Code></Error>' },
    ])
    const block = { url, headers: { Range: 'bytes=100-99999', 'X-Key': 'k' } }
    const bytes = await joined(streamTicket(ticketOf(block), quick))
    expect(bytes.equals(file.subarray(100, 100_000))).toBe(true)
    const seen = server.seen.filter(request => request.path === path)
    expect(seen.map(({ headers }) => headers.range)).toEqual([
      'bytes=100-99999',
      'bytes=5100-99999',
      'bytes=100-99999',
    ])
    expect(seen.every(({ headers }) => headers['x-key'] === 'k')).toBe(true)
  })

  test('wait as long as a server asks', async () => {
    const url = server.serve(newPath(), file, [
      { kind: 'status', status: 503, headers: { 'retry-after': '1' } },
    ])
    // Without that wait it would be done long before.
    const options = { ...quick, signal: AbortSignal.timeout(300) }
    await expect(joined(streamTicket(ticketOf({ url }), options))).rejects.toThrow(/timeout/i)
  })

  test.each<[string, Fault[], string]>([
    ['fails always', new Array<Fault>(9).fill({ kind: 'status', status: 500 }), 'SERVER_FAILED'],
    ['breaks off always', new Array<Fault>(9).fill({ kind: 'break', after: 0 }), 'SERVER_UNREACHABLE'],
    ['is silent always', new Array<Fault>(9).fill({ kind: 'stall', after: 0 }), 'SERVER_UNREACHABLE'],
    [
      'wants patience for hours',
      [{ kind: 'status', status: 503, headers: { 'retry-after': '9999' } }],
      'SERVER_FAILED',
    ],
    ['has no such file', [{ kind: 'status', status: 404 }], 'NOT_FOUND'],
    ['refuses', [{ kind: 'status', status: 403 }], 'TICKET_EXPIRED'],
    ['has another file after a while', [{ kind: 'break', after: 10 }, { kind: 'changed' }], 'BLOCK_CHANGED'],
    ['has a shorter file after a while', [{ kind: 'break', after: 10 }, { kind: 'shrunk' }], 'BLOCK_CHANGED'],
  ])('a server that %s is told of', async (_, faults, code) => {
    const url = server.serve(newPath(), file, faults)
    expect(await outcome(streamTicket(ticketOf({ url }), quick))).toBe(code)
  })

  test('a range that ends too early again and again is told of', async () => {
    const url = server.serve(newPath(), file, [
      { kind: 'short', after: 10 },
      ...new Array<Fault>(9).fill({ kind: 'short', after: 0 }),
    ])
    const block = { url, headers: { range: 'bytes=0-99' } }
    expect(await outcome(streamTicket(ticketOf(block), quick))).toBe('BLOCK_TRUNCATED')
  })

  test('a server that is not there is told of', async () => {
    expect(await outcome(streamTicket(ticketOf({ url: 'http://127.0.0.1:1/x' }), quick))).toBe(
      'SERVER_UNREACHABLE',
    )
  })

  test('an MD5 in the ticket is checked', async () => {
    const right = '5d41402abc4b2a76b9719d911017c592'
    const ticket = (md5: string) =>
      readTicket(JSON.stringify({ htsget: { md5, urls: [{ url: dataUrl(Buffer.from('hello')) }] } }))
    expect((await joined(streamTicket(ticket(right)))).toString()).toBe('hello')
    expect(await outcome(streamTicket(ticket(right.replace('5', '6'))))).toBe('TICKET_MD5')
  })

  test('no blocks are an empty file', async () => {
    expect(await joined(streamTicket(ticketOf()))).toHaveLength(0)
  })
})

describe.each(transports)('by %s: expired tickets', (_, quick) => {
  const refusal: Fault = { kind: 'status', status: 403 }
  const half = file.length / 2
  const urls = (first: Fault[], second: Fault[]): WrittenUrl[] => [
    { url: server.serve(newPath(), file.slice(0, half), first) },
    { url: server.serve(newPath(), file.slice(half), second) },
  ]

  test('a new one takes over in the middle of a block, asked for once', async () => {
    let asked = 0
    const renew = async () => {
      asked++
      return ticketOf(...urls([], []))
    }
    const old = ticketOf(...urls([{ kind: 'break', after: 70_000 }, refusal, refusal], [refusal, refusal]))
    expect((await joined(streamTicket(old, { ...quick, renew }))).equals(file)).toBe(true)
    expect(asked).toBe(1)
  })

  test('one whose URLs are refused at once is no help', async () => {
    let asked = 0
    const renew = async () => {
      asked++
      return ticketOf(...urls([refusal, refusal], [refusal, refusal]))
    }
    const old = ticketOf(...urls([refusal], [refusal]))
    expect(await outcome(streamTicket(old, { ...quick, renew }))).toBe('TICKET_EXPIRED')
    expect(asked).toBe(1)
  })

  test('one for other blocks is not mixed in', async () => {
    const renew = async () => ticketOf({ url: dataUrl(file.subarray(0, half)) }, { url: `${server.url}/x` })
    const old = ticketOf(...urls([], [refusal]))
    expect(await outcome(streamTicket(old, { ...quick, renew }))).toBe('TICKET_CHANGED')
  })
})

describe.each(transports)('by %s: limits', (_, quick) => {
  test('no more blocks are fetched at once than told', async () => {
    server.mostOpen = server.open
    const blocks = Array.from({ length: 12 }, (_, i) => urlFor(i * 100, i * 100 + 100, 'own', []))
    await joined(streamTicket(ticketOf(...blocks), { ...quick, parallel: 3 }))
    expect(server.mostOpen).toBeLessThanOrEqual(3)
  })

  test('a receiver that takes its time holds up what is fetched ahead, and loses nothing', async () => {
    const blocks = Array.from({ length: 8 }, () => ({
      url: server.serve(newPath(), new Uint8Array(4 << 20)),
    }))
    const chunks = streamTicket(ticketOf(...blocks), { ...quick, parallel: 4, aheadBytes: 1 << 20 })
    const first = await chunks.next()
    let total = first.value!.length
    const before = process.memoryUsage().arrayBuffers
    // Longer than the limit for silence: it is the receiver who is silent.
    await sleep(400)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(12 << 20)
    for await (const chunk of chunks) total += chunk.length
    expect(total).toBe(32 << 20)
  })

  test('who stops reading lets go of every connection', async () => {
    const stalled = Array.from({ length: 3 }, () => ({
      url: server.serve(newPath(), file, [{ kind: 'stall', after: 10 }]),
    }))
    for await (const chunk of streamTicket(ticketOf(...stalled), { ...quick, idleMs: 60_000 })) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    while (server.open > 0) await sleep(5)
  })

  test('a signal ends it with its reason, also while it waits', async () => {
    const url = server.serve(newPath(), file, [{ kind: 'stall', after: 10 }])
    const controller = new AbortController()
    const reading = joined(
      streamTicket(ticketOf({ url }), { ...quick, idleMs: 60_000, signal: controller.signal }),
    )
    setTimeout(() => controller.abort(new Error('enough')), 20)
    await expect(reading).rejects.toThrow('enough')
    const busy = server.serve(newPath(), file, [
      { kind: 'status', status: 503, headers: { 'retry-after': '60' } },
    ])
    const waiting = joined(
      streamTicket(ticketOf({ url: busy }), { ...quick, signal: AbortSignal.timeout(50) }),
    )
    await expect(waiting).rejects.toThrow(/timeout/i)
  })

  test('progress is told to the last byte', async () => {
    let last: [number, number] = [0, 0]
    const blocks = [urlFor(0, 1000, 'own', []), urlFor(1000, 3000, 'inline', [])]
    await joined(streamTicket(ticketOf(...blocks), { ...quick, onProgress: (...told) => (last = told) }))
    expect(last).toEqual([2, 3000])
  })
})
