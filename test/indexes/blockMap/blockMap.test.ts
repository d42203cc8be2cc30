import { describe, expect, test } from '@jest/globals'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { eofMarker } from '#shared/bgzf/bgzfBlock.ts'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { blockMapTail, openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { BlockMapBuilder } from '#shared/indexes/blockMap/BlockMapBuilder.ts'
import { countingSource, eof, mapOf, type ModelFile, type ModelRecord } from './model.ts'

const references = [
  { name: 'chr1', length: 1_000_000 },
  { name: 'chr2' },
  { name: 'HLA-A*01:01', length: 3503 },
]
const record = (refId: number, beg: number, end: number, block: number, within = 0): ModelRecord => ({
  refId,
  beg,
  end,
  start: virtualOffset(block, within),
})
const open = (file: ModelFile) => openBlockMap(memorySource(mapOf(file)))
const v = virtualOffset

describe('a block map', () => {
  test('keeps what a ticket needs of the file', async () => {
    const header = new TextEncoder().encode('@HD\tVN:1.6\n'.repeat(20_000))
    const map = await open({ references, records: [], header, headerEnd: v(70, 9), dataEnd: v(700, 0) })
    expect(map.format).toBe('BAM')
    expect(map.references).toEqual(references)
    expect(map.eof).toEqual(eof)
    expect(map.headerVerbatim).toBe(false)
    expect(readBgzf(Uint8Array.from([...map.header!, ...eofMarker]))).toEqual(header)
    expect([map.headerEnd, map.dataEnd, map.fileSize, map.unitCount]).toEqual([v(70, 9), v(700, 0), 703, 0])
  })

  test('keeps the first bytes of a CRAM as they are', async () => {
    const header = Uint8Array.from([67, 82, 65, 77, 3, 0])
    const map = await open({ format: 'CRAM', references, records: [], header, dataEnd: v(6, 0) })
    expect(map.header).toEqual(header)
    expect(map.headerVerbatim).toBe(true)
  })

  test('leaves out a header that is longer than 4 MiB', async () => {
    const header = new Uint8Array((4 << 20) + 1)
    const map = await open({ format: 'CRAM', references, records: [], header, dataEnd: v(header.length, 0) })
    expect(map.header).toBeUndefined()
  })

  test('of a file without records has no units, whatever is asked', async () => {
    const map = await open({ references, records: [], dataEnd: v(100, 0) })
    expect(await map.units(['everything', 'unplaced', { refId: 0, start: 0, end: Infinity }])).toEqual([])
  })

  const file: ModelFile = {
    references,
    records: [
      record(0, 100, 200, 1000),
      record(0, 150, 90_000, 1000, 500), // a long one: it reaches over the next two units
      record(0, 300, 400, 2000, 7),
      record(0, 500, 600, 5000), // the blocks between 2000 and 5000 begin no record
      record(0, 95_000, 95_100, 6000),
      record(2, 10, 20, 6000, 300),
      record(-1, -1, 0, 7000),
    ],
    dataEnd: v(8000, 0),
  }

  test.each([
    ['a position before the first', { refId: 0, start: 0, end: 100 }, []],
    ['the first base', { refId: 0, start: 100, end: 101 }, [[v(1000, 0), v(2000, 7), 1000]]],
    ['under the long record', { refId: 0, start: 650, end: 651 }, [[v(1000, 0), v(2000, 7), 1000]]],
    [
      'under the long record and a second one',
      { refId: 0, start: 550, end: 600 },
      [
        [v(1000, 0), v(2000, 7), 1000],
        [v(5000, 0), v(6000, 0), 5000],
      ],
    ],
    ['units that touch', { refId: 0, start: 350, end: 501 }, [[v(1000, 0), v(6000, 0), 1000]]],
    ['the base behind a unit, before the next', { refId: 0, start: 90_000, end: 95_000 }, []],
    ['behind the last base', { refId: 0, start: 95_100, end: Infinity }, []],
    ['no base at all', { refId: 0, start: 150, end: 150 }, []],
    ['a reference without records', { refId: 1, start: 0, end: Infinity }, []],
    ['a reference that is not there', { refId: 9, start: 0, end: Infinity }, []],
    ['the second reference of a unit', { refId: 2, start: 19, end: 20 }, [[v(6000, 0), v(7000, 0), 6000]]],
    ['the unplaced', 'unplaced' as const, [[v(7000, 0), v(8000, 0), 7000]]],
    ['everything', 'everything' as const, [[v(1000, 0), v(8000, 0), 1000]]],
  ])('gives the units of %s', async (_, region, expected) => {
    const map = await open(file)
    expect((await map.units([region])).map(u => [u.start, u.end, u.border])).toEqual(expected)
  })

  test('of a unit that begins within a block tells the next border', async () => {
    const [unit] = await (await open(file)).units([{ refId: 0, start: 399, end: 400 }])
    // The long record's unit comes before it.
    expect(unit).toEqual({ start: v(1000, 0), end: v(5000, 0), border: 1000 })
    const alone = { ...file, records: file.records.slice(2) }
    expect(await (await open(alone)).units([{ refId: 0, start: 399, end: 400 }])).toEqual([
      { start: v(2000, 7), end: v(5000, 0), border: 5000 },
    ])
  })

  test('knows the gaps between the records of a unit', async () => {
    const map = await open({
      references,
      records: [record(0, 0, 10, 0), record(0, 10_000, 10_010, 0, 1), record(0, 20_000, 20_010, 0, 2)],
      dataEnd: v(100, 0),
    })
    const whole = [{ start: v(0, 0), end: v(100, 0), border: 0 }]
    expect(await map.units([{ refId: 0, start: 10, end: 10_000 }])).toEqual([])
    expect(await map.units([{ refId: 0, start: 10_010, end: 20_000 }])).toEqual([])
    expect(await map.units([{ refId: 0, start: 10, end: 10_001 }])).toEqual(whole)
    expect(await map.units([{ refId: 0, start: 9, end: 10 }])).toEqual(whole)
    expect(await map.units([{ refId: 0, start: 50, end: 60 }, { refId: 0, start: 10_009, end: 10_020 }])).toEqual(whole) // prettier-ignore
  })

  test('takes the slices of a container in any order', async () => {
    const map = await open({
      format: 'CRAM',
      references,
      records: [
        record(0, 5000, 6000, 26),
        record(1, 7, 8, 26),
        record(0, 0, 100, 26),
        record(0, 1000, 2000, 26),
      ],
      dataEnd: v(900, 0),
    })
    for (const start of [0, 1500, 5999])
      expect(await map.units([{ refId: 0, start, end: start + 1 }])).toHaveLength(1)
    expect(await map.units([{ refId: 1, start: 7, end: 8 }])).toHaveLength(1)
    expect(await map.units([{ refId: 0, start: 6000, end: 7000 }])).toEqual([])
  })

  test('finds what lies beyond 32 bits', async () => {
    const map = await open({
      references: [{ name: 'long' }],
      records: [record(0, 2 ** 33, 2 ** 33 + 5, 10), record(0, 2 ** 34, 2 ** 34, 20)],
      dataEnd: v(2 ** 36, 0),
    })
    expect(await map.units([{ refId: 0, start: 2 ** 33, end: 2 ** 33 + 1 }])).toHaveLength(1)
    expect(await map.units([{ refId: 0, start: 0, end: 1000 }])).toEqual([])
  })
})

describe('the builder', () => {
  const sorted = 'UNSORTED'
  test.each([
    ['a reference comes back', [record(0, 1, 2, 10), record(1, 1, 2, 20), record(0, 5, 6, 30)]],
    ['a position comes late', [record(0, 100, 200, 10), record(0, 50, 60, 20)]],
    ['an offset goes back', [record(0, 100, 200, 10, 5), record(1, 1, 2, 10, 4), record(2, 100, 200, 9)]],
  ])('refuses a file in which %s', (_, records) => {
    expect(() => mapOf({ references, records, dataEnd: v(100, 0) })).toThrow(
      expect.objectContaining({ code: sorted }),
    )
  })

  test('takes references in any order', async () => {
    const map = await open({
      references,
      records: [record(2, 1, 2, 10), record(0, 1, 2, 20), record(1, 5, 6, 30)],
      dataEnd: v(40, 0),
    })
    expect(await map.units([{ refId: 0, start: 0, end: 9 }])).toEqual([
      { start: v(20, 0), end: v(30, 0), border: 20 },
    ])
  })

  test('refuses a reference that the file does not name', () => {
    const builder = new BlockMapBuilder()
    builder.add(3, 0, 1, v(0, 0))
    const file = { format: 'BAM', headerEnd: v(0, 0), dataEnd: v(10, 0), fileSize: 10 } as const
    expect(() => builder.finish({ ...file, header: eof, eof, references })).toThrow(
      expect.objectContaining({ code: 'BLOCK_MAP_REFERENCE' }),
    )
  })
})

describe('reading', () => {
  const records = Array.from({ length: 150_000 }, (_, i) =>
    record(Math.floor(i / 60_000), (i % 60_000) * 50, (i % 60_000) * 50 + 100, i * 20_000, i % 3),
  )
  const big = mapOf({ references, records, dataEnd: v(150_000 * 20_000, 0) })

  test('takes one read to open where the tail is known, and a few kB', async () => {
    const source = countingSource(big)
    await openBlockMap(source, blockMapTail(big))
    expect(source.reads).toBe(1)
    expect(source.bytesRead).toBeLessThan(8192)
  })

  test('takes two where the guess was too small', async () => {
    const source = countingSource(big)
    const map = await openBlockMap(source, 100)
    expect(source.reads).toBe(2)
    expect(map.references).toEqual(references)
  })

  test('takes two small pages a query, and none the second time', async () => {
    const source = countingSource(big)
    const map = await openBlockMap(source, blockMapTail(big))
    source.reads = source.bytesRead = 0
    const regions = [{ refId: 1, start: 1_500_000, end: 1_500_001 }]
    expect(await map.units(regions)).toHaveLength(1)
    expect(source.reads).toBe(2)
    expect(source.bytesRead).toBeLessThan(16_384)
    await map.units(regions)
    expect(source.reads).toBe(2)
  })

  test('takes no more than the edges of a region that covers many pages', async () => {
    const source = countingSource(big)
    const map = await openBlockMap(source, blockMapTail(big))
    source.reads = source.bytesRead = 0
    expect(await map.units([{ refId: 0, start: 100_000, end: 2_900_000 }])).toHaveLength(1)
    expect(source.bytesRead).toBeLessThan(32_768)
  })
})

describe('a damaged map', () => {
  const bytes = mapOf({
    references,
    records: Array.from({ length: 3000 }, (_, i) => record(0, i * 100, i * 100 + 150, i * 1000)),
    dataEnd: v(3_000_000, 0),
  })
  const query = async (map: Uint8Array) =>
    (await openBlockMap(memorySource(map))).units([{ refId: 0, start: 0, end: 1 }, { refId: 0, start: 299_000, end: 299_001 }]) // prettier-ignore

  test('is told from a sound one', async () => {
    expect(await query(bytes)).toHaveLength(2)
    for (const at of [bytes.length - 2, bytes.length - 20, bytes.length - 96 - 10, 9]) {
      const damaged = bytes.slice()
      damaged[at]! ^= 4
      await expect(query(damaged)).rejects.toThrow(expect.objectContaining({ code: 'BLOCK_MAP_CORRUPT' }))
    }
  })

  test.each([0, 1, 95, 96, 103, 104, 200, bytes.length - 1])('is told when cut to %i bytes', async length => {
    await expect(query(bytes.slice(0, length))).rejects.toThrow(
      expect.objectContaining({ code: 'BLOCK_MAP_CORRUPT' }),
    )
  })

  test('of a later version is told', async () => {
    const later = bytes.slice()
    later[later.length - 1] = 2
    await expect(query(later)).rejects.toThrow(expect.objectContaining({ code: 'BLOCK_MAP_VERSION' }))
  })
})
