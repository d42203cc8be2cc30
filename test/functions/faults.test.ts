import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { HtsvaultError } from '#shared/errors.ts'
import type { LocalServer } from '#shared/local/httpServer.ts'
import { signDataToken } from '#shared/vault/dataTokens.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { faultyPorts, outage, shortRead, type Fault } from '#test/support/faultyStore.ts'
import { filledVault, serveVault, type FilledVault } from '#test/support/servedVault.ts'

const demo = (name: string) => join(import.meta.dirname, '..', '..', 'demo', name)

let vault: FilledVault
beforeAll(async () => {
  vault = await filledVault({ 'demo/child.bam': demo('child.bam'), 'demo/trio.vcf.gz': demo('trio.vcf.gz') })
  // Where nothing is encrypted, bytes go out as they come in.
  await vault.ports.vault.put('open/dataset.json', new TextEncoder().encode('{"encryption":"none"}'))
  await vault.ports.inbox.put('open/child.bam', await readFile(demo('child.bam')))
  await ingestUpload(vault.ports, 'open/child.bam')
})
afterAll(() => vault.remove())

/** A server of its own for each test, so that nothing is warm. */
let server: LocalServer
let fault: (key: string) => Fault | undefined
beforeEach(async () => {
  fault = () => undefined
  server = await serveVault(faultyPorts(vault.ports, key => fault(key)))
})
afterEach(async () => {
  await server.close(0)
})

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(path.startsWith('http') ? path : server.url + path, { headers })
const ticketPath = '/reads/demo/child?referenceName=chr1&start=10000&end=50000'

/** The URL of the ticket's records. */
async function dataUrl(path = ticketPath): Promise<string> {
  const { htsget } = (await (await get(path)).json()) as { htsget: { urls: { url: string }[] } }
  return htsget.urls.find(({ url }) => url.startsWith('http'))!.url
}

async function expectError(reply: Response, status: number, error: string): Promise<void> {
  expect([reply.status, reply.headers.get('content-type')]).toEqual([status, 'application/json'])
  const text = await reply.text()
  expect(JSON.parse(text)).toMatchObject({ htsget: { error } })
  expect(text).not.toMatch(/secret|demo\/|\.ts:/)
}
const isManifest = (key: string) => key.endsWith('.manifest.json')
const isMap = (key: string) => key.includes('.blockmap')
const isBody = (key: string) => !isManifest(key) && !isMap(key)

describe('a storage that does not answer', () => {
  test.each([
    ['the manifest', isManifest],
    ['the block map', isMap],
  ])('for %s: tickets are 503, never 404, and come when it answers again', async (_what, of) => {
    fault = key => (of(key) ? { error: outage() } : undefined)
    for (const path of [
      ticketPath,
      '/reads/demo/child',
      '/reads/demo/child?class=header',
      '/reads/demo/none',
    ]) {
      if (path.endsWith('none') && of !== isManifest) continue
      const reply = await get(path)
      expect(reply.headers.get('retry-after')).toBe('1')
      await expectError(reply, 503, 'ServiceUnavailable')
    }
    fault = () => undefined
    expect((await get(ticketPath)).status).toBe(200)
    expect((await get('/reads/demo/none')).status).toBe(404)
  })

  test('for the body: data is 503 before the first byte, not a body that breaks off', async () => {
    const url = await dataUrl()
    fault = key => (isBody(key) ? { error: outage() } : undefined)
    await expectError(await get(url), 503, 'ServiceUnavailable')
    await expectError(await get(url, { Range: 'bytes=5-9' }), 503, 'ServiceUnavailable')
    fault = key => (isManifest(key) ? { error: outage() } : undefined)
    await expectError(await get(url), 503, 'ServiceUnavailable')
    fault = () => undefined
    expect((await get(url)).status).toBe(200)
  })

  test('once: the next try goes through', async () => {
    let failures = 1
    fault = key => (isMap(key) && failures-- > 0 ? { error: outage() } : undefined)
    expect((await get(ticketPath)).status).toBe(503)
    expect((await get(ticketPath)).status).toBe(200)
  })

  test('in the middle of a body: the client sees that it is not whole', async () => {
    const url = await dataUrl('/reads/open/child')
    const size = Number((await get(url)).headers.get('content-length'))
    fault = key => (isBody(key) ? { error: outage(), afterBytes: 70_000 } : undefined)
    const reply = await get(url)
    expect([reply.status, Number(reply.headers.get('content-length'))]).toEqual([200, size])
    await expect(reply.arrayBuffer()).rejects.toThrow()
  })

  test('soon: whoever waits gets all of it', async () => {
    fault = () => ({ delay: 40 })
    const url = await dataUrl()
    const reply = await get(url)
    expect((await reply.arrayBuffer()).byteLength).toBe(Number(reply.headers.get('content-length')))
  })

  test('as it should: fewer bytes, no permission, a key that cannot be read, a fault of the code', async () => {
    const url = await dataUrl()
    fault = key => (isBody(key) ? { error: shortRead() } : undefined)
    await expectError(await get(url), 503, 'ServiceUnavailable')
    fault = key => (isBody(key) ? { error: new HtsvaultError('STORE_FORBIDDEN', 'secret') } : undefined)
    await expectError(await get(url), 500, 'InternalError')
    fault = key => (isManifest(key) ? { error: new HtsvaultError('KEY_UNAVAILABLE', 'secret') } : undefined)
    await expectError(await get(url), 503, 'ServiceUnavailable')
    fault = key => (isManifest(key) ? { error: new TypeError('secret') } : undefined)
    await expectError(await get(url), 500, 'InternalError')
  })

  test('with what it was given: a body, block map or manifest that was changed is no other one', async () => {
    const url = await dataUrl()
    const gone = new HtsvaultError('OBJECT_GONE', 'secret')
    const changed = new HtsvaultError('OBJECT_CHANGED', 'secret')
    for (const error of [gone, changed]) {
      fault = key => (isBody(key) ? { error } : undefined)
      await expectError(await get(url), 503, 'ServiceUnavailable')
    }
    await server.close(0)
    server = await serveVault(faultyPorts(vault.ports, key => fault(key)))
    fault = key => (isMap(key) ? { error: gone } : undefined)
    await expectError(await get(ticketPath), 503, 'ServiceUnavailable')
  })
})

test('objects that are not what they were are found out: 5xx, never other bytes', async () => {
  const other = await filledVault({ 'demo/x.bam': demo('child.bam') })
  const own = await serveVault(other.ports)
  try {
    const { vault: store } = other.ports
    const map = (await store.get('demo/x.bam.blockmap.c4gh', 1 << 24))!
    await store.put('demo/x.bam.blockmap.c4gh', Uint8Array.from(map.bytes).fill(7, 200, 300))
    await expectError(await get(`${own.url}/reads/demo/x`), 503, 'ServiceUnavailable')
    const manifest = (await store.get('demo/x.bam.manifest.json', 1 << 24))!
    await store.put('demo/x.bam.manifest.json', manifest.bytes.subarray(0, 100))
    const fresh = await serveVault({ ...other.ports, vault: { ...store } })
    await expectError(await get(`${fresh.url}/reads/demo/x`), 500, 'InternalError')
    await fresh.close(0)
  } finally {
    await own.close(0)
    other.remove()
  }
})

describe('a data URL', () => {
  test('that expired is PermissionDenied', async () => {
    const url = await dataUrl()
    jest.useFakeTimers({ now: Date.now() + 3601_000, doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'queueMicrotask', 'performance'] }) // prettier-ignore
    try {
      await expectError(await get(url), 403, 'PermissionDenied')
    } finally {
      jest.useRealTimers()
    }
  })

  test('that was tampered with is PermissionDenied, whatever was done to it', async () => {
    const url = await dataUrl()
    const [head, payload, signature] = url.slice(url.lastIndexOf('/') + 1).split('.') as [
      string,
      string,
      string,
    ]
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const wider = Buffer.from(JSON.stringify({ ...claims, r: [0, 2 ** 50] })).toString('base64url')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`
    for (const token of [
      `${head}.${wider}.${signature}`,
      `${head}.${payload}.${flipped}`,
      `${head}.${payload}.`,
      `${none}.${wider}.`,
      `${head}.${payload}`,
      'x',
      '%00',
      'a/b/c',
      'x'.repeat(8000),
    ])
      await expectError(await get(`/data/${token}`), 403, 'PermissionDenied')
  })

  test('of a file that was replaced is NotFound, and says to ask anew', async () => {
    const other = await filledVault({ 'demo/x.bam': demo('child.bam') })
    const own = await serveVault(other.ports)
    try {
      const url = await dataUrl(`${own.url}/reads/demo/x`)
      expect((await get(url)).status).toBe(200)
      await other.ports.inbox.put(
        'demo/x.bam',
        await readFile(join(demo('..'), 'test/fixtures/bam/pairs.bam')),
      )
      await ingestUpload(other.ports, 'demo/x.bam')
      const reply = await get(url)
      expect(await reply.clone().text()).toContain('Ask for a new ticket')
      await expectError(reply, 404, 'NotFound')
      expect((await get(await dataUrl(`${own.url}/reads/demo/x`))).status).toBe(200)
    } finally {
      await own.close(0)
      other.remove()
    }
  })

  test('that is signed, but for what the file has not, is a fault of ours', async () => {
    const manifest = (await vault.ports.vault.get('demo/child.bam.manifest.json', 1 << 24))!
    const { body } = JSON.parse(Buffer.from(manifest.bytes).toString()) as { body: { etag: string } }
    const token = await signDataToken(
      { manifestKey: 'demo/child.bam.manifest.json', etag: body.etag, unit: 'bytes', start: 0, end: 1e12 },
      vault.ports.keys,
      60,
    )
    await expectError(await get(`/data/${token}`), 500, 'InternalError')
  })
})

describe('many requests', () => {
  test('a thousand, 50 at a time: each is answered as it would be alone, in bounded memory', async () => {
    const kinds: [path: string, status: number][] = [
      [ticketPath, 200],
      ['/reads/demo/child', 200],
      ['/variants/demo/trio?referenceName=chr2', 200],
      ['/reads/service-info', 200],
      ['/reads/demo/nothing', 404],
      ['/reads/demo/child?referenceName=chr1&start=9&end=1', 400],
      ['/data/forged', 403],
    ]
    const url = await dataUrl()
    const whole = await dataUrl('/reads/demo/child')
    kinds.push([url, 200], [whole, 200])
    const lengths = new Map<string, number>()
    for (const [path] of kinds) lengths.set(path, (await (await get(path)).arrayBuffer()).byteLength)
    const before = process.memoryUsage().rss
    let most = before
    let next = 0
    const wrong: unknown[] = []
    const client = async () => {
      while (next < 1000) {
        const i = next++
        const [path, status] = kinds[i % kinds.length]!
        // Some leave in the middle: nothing of theirs may stay.
        if (i % 100 === 99) {
          const leaving = new AbortController()
          const reply = await fetch(whole, { signal: leaving.signal })
          leaving.abort()
          await reply.arrayBuffer().catch(() => undefined)
          continue
        }
        const reply = await get(path)
        const { byteLength } = await reply.arrayBuffer()
        if (reply.status !== status || byteLength !== lengths.get(path))
          wrong.push([path, reply.status, byteLength])
        most = Math.max(most, process.memoryUsage().rss)
      }
    }
    await Promise.all(Array.from({ length: 50 }, client))
    expect(wrong).toEqual([])
    expect(most - before).toBeLessThan(400e6)
  }, 60_000)

  test('of one file at once, nothing known of it: its block map is opened once', async () => {
    const read: string[] = []
    fault = key => (read.push(key), { delay: 5 })
    const replies = await Promise.all(Array.from({ length: 50 }, () => get(ticketPath)))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
    expect(read.filter(isMap)).toHaveLength(1)
  })
})
