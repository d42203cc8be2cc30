import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { decryptBytes } from '#shared/crypt4gh/body/decryptBytes.ts'
import { isPortable } from '#shared/crypt4gh/editList.ts'
import { openHeader, type OpenedHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import type { KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { plainSize } from '#shared/crypt4gh/sizes.ts'
import type { HtsgetQuery } from '#shared/htsget/HtsgetQuery.ts'
import { defaultLimits } from '#shared/htsget/planTicket.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { answerTicket, type TicketOptions } from '#shared/vault/answerTicket.ts'
import { encryptedUrls } from '#shared/vault/encryptedUrls.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { readDataToken, signDataToken } from '#shared/vault/dataTokens.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { addRegisteredKey } from '#shared/vault/registeredKeys.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { newKeys } from '#test/crypt4gh/support.ts'
import { fixtures } from '#test/fixtures/index.ts'
import { dataUrl, fetchUrl, joinTicket, type TicketJson } from '#test/support/joinTicket.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-c4gh-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const demo = (name: string) => join(import.meta.dirname, '..', '..', 'demo', name)

const vaultKeys = newKeys()
const client = newKeys()
const lab = newKeys()
const ports: VaultPorts = {
  inbox: folderStore(join(scratch, 'inbox')),
  vault: folderStore(join(scratch, 'vault')),
  keys: { keyPair: async () => vaultKeys },
}

/** As sda-cli sends it: base64 of the whole file. */
const headerOf = ({ publicKey }: KeyPair) => Buffer.from(writePublicKey(publicKey)).toString('base64')

const datatypeOf = (format: Format) =>
  format === 'BAM' || format === 'CRAM' ? ('reads' as const) : ('variants' as const)
const whole = (format: Format): HtsgetQuery => ({ datatype: datatypeOf(format), format, headerOnly: false })
const ask = (id: string, query: HtsgetQuery, options: Partial<TicketOptions> = {}) =>
  answerTicket(ports, id, query, { dataUrl, ...options })
const askEncrypted = (id: string, query: HtsgetQuery, options: Partial<TicketOptions> = {}) =>
  ask(id, { ...query, encryptionScheme: 'crypt4gh' }, { publicKey: headerOf(client), ...options })

const urlsOf = (ticket: string) => (JSON.parse(ticket) as TicketJson).htsget.urls
const unitsOf = (ticket: string) =>
  Promise.all(
    urlsOf(ticket)
      .filter(({ url }) => url.startsWith(dataUrl))
      .map(async ({ url }) => (await readDataToken(url.slice(dataUrl.length), ports.keys)).unit),
  )

interface Opened extends OpenedHeader {
  readonly plain: Buffer
}

/** What the client makes of the joined bytes of a ticket. */
async function open(ticket: string, reader = client): Promise<Opened> {
  const joined = await joinTicket(ticket, ports)
  const header = readHeader(joined)
  const opened = openHeader(header, reader, nodeBackend)
  const body = joined.subarray(header.length)
  if (opened.editList) expect(isPortable(opened.editList, plainSize(body.length))).toBe(true)
  const plain = Buffer.from(decryptBytes(body, opened, nodeBackend))
  return { ...opened, plain }
}

async function upload(key: string, bytes: Uint8Array): Promise<void> {
  await ports.inbox.put(key, bytes)
  expect(await ingestUpload(ports, key)).toMatchObject({ state: 'served' })
}
const settings = (dataset: string, value: object) =>
  ports.vault.put(`${dataset}/dataset.json`, Buffer.from(JSON.stringify(value)))

const demos = [
  ['child.bam', 'BAM', 'child'],
  ['child.cram', 'CRAM', 'child'],
  ['trio.vcf.gz', 'VCF', 'trio'],
  ['trio.bcf', 'BCF', 'trio'],
] as const
const datasets = ['sealed', 'fresh', 'open'] as const

beforeAll(async () => {
  await settings('sealed', {
    recipients: [writePublicKey(lab.publicKey)],
    access: ['https://idp', 'https://other'].map(issuer => ({ issuer, anyone: true })),
  })
  await settings('fresh', { freshKeys: true })
  await settings('open', { encryption: 'none' })
  for (const dataset of datasets)
    for (const [name] of demos) await upload(`${dataset}/${name}`, await readFile(demo(name)))
})

/** Random queries of the demonstration files. */
const drawnQuery = fc.record({
  file: fc.constantFrom(...demos),
  dataset: fc.constantFrom(...datasets),
  pieceBytes: fc.constantFrom(20_000, 70_000, 6_000_000),
  gapBytes: fc.constantFrom(0, 16_384),
  regions: fc.option(
    fc.array(
      fc.record({
        referenceName: fc.constantFrom('chr1', 'chr2', 'chr3', 'chrM'),
        start: fc.nat(600_000),
        length: fc.constantFrom(0, 1, 1000, 50_000, 1_000_000),
      }),
      { minLength: 1, maxLength: 20 },
    ),
    { freq: 6, nil: undefined },
  ),
  headerOnly: fc.boolean(),
})

describe('a ticket of ciphertext', () => {
  test('of any plan decrypts to exactly the bytes of the plain one', async () => {
    const seen = { stored: 0, sealed: 0, edited: 0, severalUrls: 0 }
    await fc.assert(
      fc.asyncProperty(drawnQuery, async ({ file: [, format, id], dataset, regions, ...drawn }) => {
        const query: HtsgetQuery = {
          ...whole(format),
          headerOnly: drawn.headerOnly && regions === undefined,
          ...(regions && {
            regions: regions.map(({ referenceName, start, length }) => ({
              referenceName,
              start,
              end: start + length,
            })),
          }),
        }
        const limits = { pieceBytes: drawn.pieceBytes, gapBytes: drawn.gapBytes }
        const ticket = await askEncrypted(`${dataset}/${id}`, query, { limits })
        const { plain, dataKeys, editList } = await open(ticket)
        expect(dataKeys).toHaveLength(1)

        const units = new Set(await unitsOf(ticket))
        expect(units.size).toBe(1)
        if (dataset !== 'sealed') expect([...units]).toEqual(['sealed'])
        const stored = units.has('stored')
        // The stored header may be other bytes than the one that stands in plain tickets.
        const own = stored ? { ...limits, inlineBytes: 0 } : limits
        const expected = await joinTicket(await ask(`${dataset}/${id}`, query, { limits: own }), ports)
        expect(plain.equals(expected)).toBe(true)
        if (stored && format !== 'CRAM') {
          const usual = await joinTicket(await ask(`${dataset}/${id}`, query, { limits }), ports)
          expect(Buffer.compare(readBgzf(plain), readBgzf(usual))).toBe(0)
        }

        const { htsget } = JSON.parse(ticket) as TicketJson
        expect(htsget.format).toBe(format)
        expect(htsget.urls.every(url => url.class === undefined)).toBe(true)
        expect(htsget.urls.filter(({ url }) => url.startsWith('data:'))).toHaveLength(1)
        seen[stored ? 'stored' : 'sealed']++
        if (editList) seen.edited++
        if (htsget.urls.length > 2) seen.severalUrls++
      }),
      { numRuns: 150 },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10)
  }, 60_000)

  test.each(fixtures.map(fixture => [fixture.name, fixture] as const))(
    '%s: whole, its header',
    async (name, { path, format }) => {
      await upload(`fixtures/${name}`, await readFile(path))
      const id = `fixtures/${name.replace(/\.(bam|cram|bcf|vcf|vcf\.gz|vcf\.bgz)$/i, '')}`
      for (const freshKeys of [false, true]) {
        const { plain: file } = await open(await askEncrypted(id, whole(format), { freshKeys }))
        expect(file.equals(await readFile(path))).toBe(true)
        const query = { ...whole(format), headerOnly: true }
        const plain = await joinTicket(await ask(id, query), ports)
        const { plain: header } = await open(await askEncrypted(id, query, { freshKeys }))
        if (format === 'CRAM') expect(header.equals(plain)).toBe(true)
        else expect(Buffer.compare(readBgzf(header), readBgzf(plain))).toBe(0)
      }
    },
  )

  test('is the same bytes again, whole, by range, and piece by piece', async () => {
    const ticket = await askEncrypted('open/child', whole('BAM'), { limits: { pieceBytes: 70_000 } })
    const urls = urlsOf(ticket).slice(1)
    expect(urls).toHaveLength(3)
    for (const { url } of urls) {
      const all = await fetchUrl(url, ports)
      expect((await fetchUrl(url, ports)).equals(all)).toBe(true)
      for (const [start, end] of [[0, 1], [11, 13], [1, all.length], [all.length - 1, all.length]] as const) // prettier-ignore
        expect((await fetchUrl(url, ports, `bytes=${start}-${end - 1}`)).equals(all.subarray(start, end))).toBe(true) // prettier-ignore
    }
    // From any segment of a longer piece on, too.
    const [, { url }] = urlsOf(await askEncrypted('open/child', whole('BAM'))) as [unknown, { url: string }]
    const all = await fetchUrl(url, ports)
    for (const start of [65_563, 65_564, 65_565, 131_128, 140_000])
      expect((await fetchUrl(url, ports, `bytes=${start}-`)).equals(all.subarray(start))).toBe(true)
    // No two segments share a nonce; another ticket has another key.
    const joined = await joinTicket(ticket, ports)
    const again = await joinTicket(await askEncrypted('open/child', whole('BAM')), ports)
    const nonces = [joined, again].flatMap(file =>
      [124, 124 + 65564, 124 + 2 * 65564].map(at => file.subarray(at, at + 12).toString('hex')),
    )
    expect(new Set(nonces).size).toBe(6)
  })

  test('opens for nobody else', async () => {
    for (const dataset of datasets) {
      const ticket = await askEncrypted(`${dataset}/child`, whole('BAM'))
      for (const other of [newKeys(), lab, vaultKeys])
        await expect(open(ticket, other)).rejects.toMatchObject({ code: 'CRYPT4GH_WRONG_KEY' })
    }
  })

  test('under a key of its own opens nothing of what is stored', async () => {
    const stored = (await ports.vault.get('fresh/child.bam.c4gh', 1e7))!.bytes
    const header = readHeader(stored)
    const body = stored.slice(header.length)
    const [storedKey] = openHeader(header, vaultKeys, nodeBackend).dataKeys
    const region = { ...whole('BAM'), regions: [{ referenceName: 'chr1', start: 0, end: 1000 }] }
    const [one, two] = [
      await open(await askEncrypted('fresh/child', region)),
      await open(await askEncrypted('fresh/child', region)),
    ]
    expect(one.dataKeys[0]).not.toEqual(two.dataKeys[0])
    expect(one.dataKeys[0]).not.toEqual(storedKey)
    expect(() => decryptBytes(body, one, nodeBackend)).toThrow(expect.objectContaining({ code: 'CRYPT4GH_SEGMENT_CORRUPT' })) // prettier-ignore
    // And so where the caller says it, not the dataset.
    expect(await unitsOf(await askEncrypted('sealed/child', region, { freshKeys: true }))).toEqual(['sealed'])
    expect(await unitsOf(await askEncrypted('sealed/child', region))).toContain('stored')
  })

  test('has no byte of the file in the clear, whatever the dataset', async () => {
    const file = await readFile(demo('child.bam'))
    for (const dataset of datasets) {
      const joined = await joinTicket(await askEncrypted(`${dataset}/child`, whole('BAM')), ports)
      expect(joined.subarray(0, 8).toString()).toBe('crypt4gh')
      for (let at = 0; at + 32 <= file.length; at += 4096)
        expect(joined.includes(file.subarray(at, at + 32))).toBe(false)
    }
  })

  test('of stored bytes is no way to an object that is plain', async () => {
    const ticket = await askEncrypted('open/child', whole('BAM'))
    const { manifestKey, etag } = await readDataToken(
      urlsOf(ticket)[1]!.url.slice(dataUrl.length),
      ports.keys,
    )
    const token = await signDataToken(
      { manifestKey, etag, unit: 'stored', start: 0, end: 100 },
      ports.keys,
      60,
    )
    await expect(fetchUrl(dataUrl + token, ports)).rejects.toMatchObject({ code: 'FILE_REPLACED' })
  })

  test.each([
    ['ten ranges', Array.from({ length: 10 }, (_, i) => [i * 9000, i * 9000 + 100]), 'stored'],
    ['eleven, whose list has 22 lengths', Array.from({ length: 11 }, (_, i) => [i * 9000, i * 9000 + 100]), 'sealed'], // prettier-ignore
    ['a range that begins where a segment does', [[0, 10], [65_536, 65_600]], 'sealed'], // prettier-ignore
    ['a range that ends where a segment does', [[0, 65_536], [70_000, 70_100]], 'sealed'], // prettier-ignore
    ['nothing of the beginning', [[10, 20]], 'sealed'],
    ['a beginning', [[0, 20]], 'stored'],
  ] as const)('of %s', async (_, ranges, unit) => {
    const manifest = (await findManifest(ports.vault, 'sealed/child', ['BAM']))!
    const units: string[] = []
    const file = await readFile(demo('child.bam'))
    const pieces = ranges.map(([start, end]) => ({ kind: 'bytes' as const, start: start, end: end }))
    const urls = await encryptedUrls(ports, manifest, {
      recipients: [client.publicKey],
      plan: async () => pieces,
      limits: defaultLimits,
      freshKeys: false,
      storageUrls: false,
      seconds: 60,
      async urlOf(grant) {
        units.push(grant.unit)
        const of = { manifestKey: 'sealed/child.bam.manifest.json', etag: manifest.body.etag }
        return dataUrl + (await signDataToken({ ...grant, ...of }, ports.keys, 60))
      },
    })
    expect(new Set(units)).toEqual(new Set([unit]))
    const { plain } = await open(JSON.stringify({ htsget: { format: 'BAM', urls } }))
    const expected = ranges.map(([start, end]) => file.subarray(start, end))
    expect(plain.equals(Buffer.concat(expected))).toBe(true)
  })

  test('goes straight to the storage where it can, unless the scheme is spelled the older way', async () => {
    const asked: unknown[][] = []
    const presigning: VaultPorts = {
      ...ports,
      vault: {
        ...ports.vault,
        async presign(...args) {
          asked.push(args)
          return { url: 'https://bucket/x', headers: { Range: `bytes=${args[1]}-${args[2] - 1}` } }
        },
      },
    }
    const ticketFor = async (dataset: string, encryptionScheme: 'crypt4gh' | 'c4gh') => {
      const query = { ...whole('BAM'), encryptionScheme }
      const options = { dataUrl, publicKey: headerOf(client), tokenSeconds: 60 }
      return urlsOf(await answerTicket(presigning, `${dataset}/child`, query, options))
    }
    const { size, etag } = (await ports.vault.head('sealed/child.bam.c4gh'))!
    expect((await ticketFor('sealed', 'crypt4gh')).slice(1)).toEqual([
      { url: 'https://bucket/x', headers: { Range: `bytes=232-${size - 1}` } },
    ])
    expect(asked).toEqual([['sealed/child.bam.c4gh', 232, size, etag, 60]])
    for (const urls of [
      await ticketFor('sealed', 'c4gh'),
      await ticketFor('open', 'crypt4gh'),
      await ticketFor('fresh', 'crypt4gh'),
    ])
      for (const { url, headers } of urls) {
        expect(url).toMatch(/^(data:;base64,|http:\/\/vault\/data\/)/)
        expect(headers).toBeUndefined()
      }
    expect(asked).toHaveLength(1)
  })

  test('in many small parts keeps its URLs short', async () => {
    const regions = Array.from({ length: 400 }, (_, i) => ({
      referenceName: 'chr1',
      start: i * 2500,
      end: i * 2500 + 1,
    }))
    const query = { ...whole('VCF'), regions }
    const ticket = await askEncrypted('open/trio', query, { limits: { gapBytes: 0 } })
    for (const { url } of urlsOf(ticket).slice(1)) expect(url.length).toBeLessThan(8000)
    const plain = await joinTicket(await ask('open/trio', query, { limits: { gapBytes: 0 } }), ports)
    expect((await open(ticket)).plain.equals(plain)).toBe(true)
  })
})

describe('whom it is for', () => {
  const identity = { issuer: 'https://idp', subject: 'alice', claims: {} }

  test("the request's key, then the subject's, then the dataset's", async () => {
    const registered = newKeys()
    await addRegisteredKey(ports.vault, identity, writePublicKey(registered.publicKey))
    const query: HtsgetQuery = { ...whole('BAM'), encryptionScheme: 'crypt4gh' }
    for (const [options, reader, others] of [
      [{ publicKey: headerOf(client), identity }, client, [registered, lab]],
      [{ identity }, registered, [client, lab]],
      [{ identity: { ...identity, subject: 'bob' } }, lab, [client, registered]],
      [{ identity: { ...identity, issuer: 'https://other' } }, lab, [client, registered]],
      [{}, lab, [client, registered]],
    ] as const) {
      const ticket = await ask('sealed/child', query, options)
      expect((await open(ticket, reader)).plain.equals(await readFile(demo('child.bam')))).toBe(true)
      for (const other of others) await expect(open(ticket, other)).rejects.toMatchObject({ code: 'CRYPT4GH_WRONG_KEY' }) // prettier-ignore
    }
    await expect(ask('open/child', query)).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('Htsget-Context-Public-Key'),
    })
  })

  test.each([
    ['the file', headerOf(client)],
    ['32 bytes', Buffer.from(client.publicKey).toString('base64')],
    ['with spaces around', ` ${headerOf(client)} `],
  ])('a key as base64 of %s', async (_, publicKey) => {
    const ticket = await askEncrypted('open/child', whole('BAM'), { publicKey })
    expect((await open(ticket)).plain.length).toBeGreaterThan(100_000)
  })

  test.each([
    ['empty', ''],
    ['no base64', '§§§'],
    ['31 bytes', Buffer.alloc(31, 7).toString('base64')],
    ['33 bytes', Buffer.alloc(33, 7).toString('base64')],
    ['a point of low order', Buffer.alloc(32).toString('base64')],
    ['a private key', Buffer.from('-----BEGIN CRYPT4GH PRIVATE KEY-----\nAAAA\n-----END CRYPT4GH PRIVATE KEY-----\n').toString('base64')], // prettier-ignore
    ['broken PEM', Buffer.from(writePublicKey(client.publicKey).slice(0, 50)).toString('base64')],
    ['a megabyte', 'A'.repeat(1 << 20)],
  ])('a key that is %s is InvalidInput', async (_, publicKey) => {
    await expect(askEncrypted('sealed/child', whole('BAM'), { publicKey })).rejects.toMatchObject({
      type: 'InvalidInput',
    })
  })
})

describe('a sealed token', () => {
  test('tells no key, and is worth nothing once changed', async () => {
    const ticket = await askEncrypted('fresh/child', whole('BAM'))
    const url = urlsOf(ticket)[1]!.url
    const { dataKeys } = await open(ticket)
    const key = Buffer.from(dataKeys[0]!)
    const [head, payload, signature] = url.slice(dataUrl.length).split('.') as [string, string, string]
    const claims = Buffer.from(payload, 'base64url')
    for (const text of [key.toString('base64'), key.toString('base64url'), key.toString('hex')])
      expect(claims.includes(text)).toBe(false)
    const read = JSON.parse(claims.toString()) as { n: string; p: unknown[][]; i: number }
    for (const changed of [
      { ...read, i: 7 },
      { ...read, p: [['b', 0, 9]] },
      { ...read, u: 'b', r: [0, 9] },
    ]) {
      const forged = Buffer.from(JSON.stringify(changed)).toString('base64url')
      await expect(fetchUrl(`${dataUrl}${head}.${forged}.${signature}`, ports)).rejects.toMatchObject({
        code: 'TOKEN_INVALID',
      })
    }
  })

  test('ends with the file that it was made for', async () => {
    await settings('again', { encryption: 'none' })
    await upload('again/x.bam', await readFile(demo('child.bam')))
    const sealed = urlsOf(await askEncrypted('again/x', whole('BAM')))[1]!.url
    const file = await readFile(demo('child.bam'))
    expect((await fetchUrl(sealed, ports)).length).toBeGreaterThan(file.length)
    await ports.inbox.put('again/x.bam', await readFile(fixtures.find(f => f.format === 'BAM')!.path))
    await ingestUpload(ports, 'again/x.bam')
    await expect(fetchUrl(sealed, ports)).rejects.toMatchObject({ code: 'FILE_REPLACED' })
  })
})
