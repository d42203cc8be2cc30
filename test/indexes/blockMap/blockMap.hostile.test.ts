import { crc32 } from 'node:zlib'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { blockOf, virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { readDirectory } from '#shared/indexes/blockMap/DirectoryPage.ts'
import { footerBytes } from '#shared/indexes/blockMap/Footer.ts'
import { readLeaf } from '#shared/indexes/blockMap/LeafPage.ts'
import { readSummary } from '#shared/indexes/blockMap/Summary.ts'
import { countingSource, mapOf } from './model.ts'

const references = Array.from({ length: 5 }, (_, i) => ({ name: `chr${i}`, length: 10_000 }))
const small = mapOf(
  {
    references,
    records: Array.from({ length: 200 }, (_, i) => ({
      refId: Math.floor(i / 40),
      beg: (i % 40) * 900,
      end: (i % 40) * 900 + 500,
      start: virtualOffset(Math.floor(i / 2) * 1000, i % 4),
    })),
    dataEnd: virtualOffset(200_000, 0),
  },
  { leafUnits: 4, leafBytes: 8192, fanOut: 3 },
)
const all = references.map((_, refId) => ({ refId, start: 1000, end: 3000 }))

/** Opens and asks, and says how it ended; whatever comes out but an error of our own fails the test. */
async function ask(bytes: Uint8Array): Promise<'answered' | 'refused'> {
  const source = countingSource(bytes)
  try {
    const map = await openBlockMap(source)
    const units = await map.units(all)
    for (const [i, { start, end, border }] of units.entries()) {
      expect(start).toBeLessThan(end)
      expect(start).toBeGreaterThan(units[i - 1]?.end ?? -1)
      expect(border).toBeGreaterThanOrEqual(blockOf(start))
      expect(border).toBeLessThanOrEqual(blockOf(end))
    }
    return 'answered'
  } catch (error) {
    if (!(error instanceof HtsvaultError)) throw error
    return 'refused'
  } finally {
    expect(source.bytesRead).toBeLessThanOrEqual(bytes.length * 3)
  }
}

const changes = fc.array(
  fc.record({
    at: fc.nat(small.length - 1),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0, 127, 128, 255)),
  }),
  { minLength: 1, maxLength: 6 },
)

test('any bytes end in an answer or in an error of our own', async () => {
  expect(await ask(small)).toBe('answered')
  await fc.assert(
    fc.asyncProperty(changes, async list => {
      const bytes = small.slice()
      for (const { at, value } of list) bytes[at] = value
      await ask(bytes)
    }),
    { numRuns: 1500 },
  )
})

test('so do changed footers and roots with the right checksums', async () => {
  const outcomes = { answered: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(150), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      async list => {
        const bytes = small.slice()
        const footer = bytes.length - footerBytes
        for (const [back, value] of list) bytes[Math.max(0, bytes.length - 13 - back)] = value
        const view = new DataView(bytes.buffer)
        const parts = [4, 8, 12, 16].reduce((sum, at) => sum + view.getUint32(footer + at, true), 0)
        if (parts <= footer) view.setUint32(footer + 24, crc32(bytes.subarray(footer - parts, footer)), true)
        view.setUint32(footer + 84, crc32(bytes.subarray(footer, footer + 84)), true)
        outcomes[await ask(bytes)]++
      },
    ),
    { numRuns: 2000 },
  )
  expect(outcomes.refused).toBeGreaterThan(500)
})

test('so do pages of any bytes', () => {
  const stretch = { start: virtualOffset(0, 0), end: virtualOffset(1_000_000, 0) }
  const bytes = fc.uint8Array({ maxLength: 80 })
  const own = (read: () => unknown) => {
    try {
      read()
    } catch (error) {
      if (!(error instanceof HtsvaultError)) throw error
    }
  }
  fc.assert(
    fc.property(bytes, fc.nat(10), fc.nat(400), (page, runs, plain) => {
      own(() => readLeaf(page, stretch, runs))
      own(() => readDirectory(page, stretch, runs, 1000))
      own(() => readSummary(page, plain))
    }),
    { numRuns: 5000 },
  )
})

test('a declared length is no reason to take memory', async () => {
  const bytes = small.slice()
  const view = new DataView(bytes.buffer)
  const footer = bytes.length - footerBytes
  view.setUint32(footer + 20, 0xffff_ffff, true)
  view.setUint32(footer + 84, crc32(bytes.subarray(footer, footer + 84)), true)
  await expect(openBlockMap(memorySource(bytes))).rejects.toThrow(
    expect.objectContaining({ code: 'BLOCK_MAP_CORRUPT' }),
  )
})
