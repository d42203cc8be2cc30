import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { chooseColumns, type ColumnLists } from '#shared/columns/RecordColumns.ts'
import type { HtsgetQuery } from '#shared/htsget/HtsgetQuery.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { answerData } from '#shared/vault/answerData.ts'
import { answerTicket } from '#shared/vault/answerTicket.ts'
import { readDataToken } from '#shared/vault/dataTokens.ts'
import { heldPiece } from '#shared/vault/filterRecords.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { newKeys } from '#test/crypt4gh/support.ts'
import { filterBamFile } from '#test/support/filterBamFile.ts'
import { filterCramFile } from '#test/support/filterCramFile.ts'
import { dataUrl, fetchUrl, joinTicket, type TicketJson } from '#test/support/joinTicket.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-fields-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const demo = (name: string) => readFile(join(import.meta.dirname, '..', '..', 'demo', name))

const vaultKeys = newKeys()
const ports: VaultPorts = {
  inbox: folderStore(join(scratch, 'inbox')),
  vault: folderStore(join(scratch, 'vault')),
  keys: { keyPair: async () => vaultKeys },
}

beforeAll(async () => {
  await ports.vault.put('open/dataset.json', Buffer.from('{"encryption":"none"}'))
  for (const dataset of ['d', 'open'])
    for (const name of ['child.bam', 'child.cram', 'trio.vcf.gz']) {
      await ports.inbox.put(`${dataset}/${name}`, await demo(name))
      expect(await ingestUpload(ports, `${dataset}/${name}`)).toMatchObject({ state: 'served' })
    }
}, 60_000)

const lists: ColumnLists = { fields: ['FLAG', 'POS', 'MAPQ'], tags: ['NM'] }
const columns = chooseColumns(lists)!
/** Pieces so short that a small file has many. */
const limits = { pieceBytes: 20_000, gapBytes: 0 }

const ask = (id: string, format: Format, query: Partial<HtsgetQuery>) =>
  answerTicket(
    ports,
    id,
    { datatype: format === 'VCF' ? 'variants' : 'reads', format, headerOnly: false, ...query },
    { dataUrl, limits },
  )
const urlsOf = (ticket: string) => (JSON.parse(ticket) as TicketJson).htsget.urls

describe.each(['d', 'open'])('of dataset %s', dataset => {
  test('a whole BAM has the records without the columns', async () => {
    const ticket = await ask(`${dataset}/child`, 'BAM', lists)
    expect(urlsOf(ticket).length).toBeGreaterThan(5)
    const got = await joinTicket(ticket, ports)
    const expected = await filterBamFile(await demo('child.bam'), columns)
    // Cut into other blocks, at the same records.
    expect(Buffer.compare(readBgzf(got), readBgzf(expected))).toBe(0)
    expect(got.length).toBeLessThan(0.3 * (await demo('child.bam')).length)
  })

  test('a whole CRAM has the containers without the blocks', async () => {
    const ticket = await ask(`${dataset}/child`, 'CRAM', lists)
    expect(urlsOf(ticket).length).toBeGreaterThanOrEqual(3)
    const expected = await filterCramFile(await demo('child.cram'), columns)
    expect(Buffer.compare(await joinTicket(ticket, ports), expected)).toBe(0)
  })

  test.each(['BAM', 'CRAM'] as const)('the header of %s is that of other tickets', async format => {
    const regions = [{ referenceName: 'chr1', start: 5000, end: 50_000 }]
    const [plain, filtered] = await Promise.all([
      ask(`${dataset}/child`, format, { regions }),
      ask(`${dataset}/child`, format, { regions, ...lists }),
    ])
    expect(urlsOf(filtered)[0]).toEqual(urlsOf(plain)[0])
    expect(urlsOf(filtered).at(-1)).toEqual(urlsOf(plain).at(-1))
    expect(urlsOf(filtered).map(url => url.class)).not.toContain(undefined)
    expect((await joinTicket(filtered, ports)).length).toBeLessThan((await joinTicket(plain, ports)).length)
  })
})

test.each(['BAM', 'CRAM'] as const)(
  'any range of a piece of %s is a range of the same bytes',
  async format => {
    const urls = urlsOf(await ask('d/child', format, lists)).filter(({ url }) => url.startsWith(dataUrl))
    const { url } = urls[0]!
    const whole = await fetchUrl(url, ports)
    expect(whole.length).toBeGreaterThan(200)
    for (const [from, to] of [
      [0, 1],
      [100, 199],
      [whole.length - 1, whole.length],
    ] as const) {
      const reply = await answerData(ports, url.slice(dataUrl.length), `bytes=${from}-${to - 1}`)
      expect(reply).toMatchObject({
        statusCode: 206,
        headers: {
          'Content-Length': String(to - from),
          'Content-Range': `bytes ${from}-${to - 1}/${whole.length}`,
        },
      })
      expect(
        Buffer.compare(await fetchUrl(url, ports, `bytes=${from}-${to - 1}`), whole.subarray(from, to)),
      ).toBe(0)
    }
  },
)

test('lists that leave out nothing, and those for variants, give the file as it is', async () => {
  const units = async (ticket: string) =>
    Promise.all(
      urlsOf(ticket)
        .filter(({ url }) => url.startsWith(dataUrl))
        .map(async ({ url }) => (await readDataToken(url.slice(dataUrl.length), ports.keys)).unit),
    )
  const nothing = await ask('d/child', 'BAM', { notags: [] })
  expect(await units(nothing)).not.toContain('records')
  expect(Buffer.compare(await joinTicket(nothing, ports), await demo('child.bam'))).toBe(0)
  expect(await units(await ask('d/child', 'BAM', lists))).toContain('records')
  const variants = await ask('d/trio', 'VCF', { fields: ['POS'], tags: [] })
  expect(Buffer.compare(await joinTicket(variants, ports), await demo('trio.vcf.gz'))).toBe(0)
  const header = await ask('d/child', 'CRAM', { headerOnly: true })
  expect(urlsOf(header).some(({ url }) => url.startsWith(dataUrl))).toBe(false)
})

describe('a piece that is long once it is made', () => {
  const chunk = new Uint8Array(1 << 20)
  let made = 0
  let closed = false
  async function* chunks(count: number) {
    made = 0
    closed = false
    try {
      for (; made < count; made++) yield chunk.fill(made).slice()
    } finally {
      closed = true
    }
  }
  const total = async (stream: AsyncIterable<Uint8Array>) => {
    let bytes = 0
    for await (const part of stream) {
      expect(part[0]).toBe(bytes >>> 20)
      bytes += part.length
    }
    return bytes
  }

  test('is sent without a length, in the order it is made, and never held whole', async () => {
    const piece = await heldPiece(chunks(40))
    expect(piece.size).toBeUndefined()
    expect(made).toBeLessThan(20)
    expect(await total(piece.stream(0, Infinity))).toBe(40 << 20)
  })

  test('ends with its reader', async () => {
    const piece = await heldPiece(chunks(40))
    for await (const part of piece.stream(0, Infinity)) if (part.length > 0) break
    expect(closed).toBe(true)
  })

  test('has a length where it is short', async () => {
    const piece = await heldPiece(chunks(3))
    expect(piece.size).toBe(3 << 20)
    expect(await total(piece.stream(0, 3 << 20))).toBe(3 << 20)
  })
})
