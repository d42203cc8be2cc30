import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { BcfIndexer } from '#shared/indexes/BcfIndexer.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { queryChunks } from '#shared/indexes/binning/queryChunks.ts'
import { readCsi } from '#shared/indexes/csi/readCsi.ts'
import type { IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { bcfHeader, bcfRecord, joined, uint32 } from '#test/support/bcfBytes.ts'
import { seededRandom } from '#test/support/random.ts'

const header = bcfHeader(
  [
    '##fileformat=VCFv4.2',
    '##contig=<ID=a,length=5000000,IDX=0>',
    '##contig=<ID=late,length=100,IDX=7>',
    '##contig=<ID=b:1,length=5000000,IDX=3>',
    '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO',
    '\0',
  ].join('\n'),
)
const bcf = (...records: Uint8Array[]) => writeBgzf(joined(header, ...records), { blockSize: 300 })

function index(file: Uint8Array, chunk = 1 << 16): IndexedFile {
  const indexer = new BcfIndexer()
  for (let at = 0; at < file.length; at += chunk) indexer.push(file.subarray(at, at + chunk))
  return indexer.finish()
}

const errorOf = (file: Uint8Array): unknown => {
  try {
    index(file)
  } catch (error) {
    return error
  }
  return undefined
}

describe('what is found', () => {
  const file = bcf(bcfRecord(7, 4, 1), bcfRecord(0, 8, 30))

  test('references by their number in the dictionary, without its gaps', () => {
    expect(index(file)).toMatchObject({
      format: 'BCF',
      formatVersion: '2.2',
      records: 2,
      size: file.length,
      index: { kind: 'csi' },
      references: [
        { name: 'a', length: 5_000_000 },
        { name: 'b:1', length: 5_000_000 },
        { name: 'late', length: 100 },
      ],
    })
  })

  test('the CSI counts by the numbers themselves, the block map by the references', async () => {
    const found = index(file)
    const { index: csi, aux } = readCsi(found.index.bytes)
    expect(aux).toHaveLength(0)
    expect(csi).toMatchObject({ references: 8, minShift: 14, depth: 3 })
    expect([0, 3, 7].map(id => queryChunks(csi, id, 0, 100).length)).toEqual([1, 0, 1])
    const map = await openBlockMap(memorySource(found.blockMap))
    const units = await Promise.all([0, 1, 2].map(refId => map.units([{ refId, start: 0, end: Infinity }])))
    expect(units.map(each => each.length)).toEqual([1, 0, 1])
  })

  test('records past the declared ends deepen the index', () => {
    const { index: csi } = readCsi(index(bcf(bcfRecord(0, 2 ** 31, 1))).index.bytes)
    expect(csi.depth).toBe(6)
    expect(queryChunks(csi, 0, 2 ** 31, 2 ** 31 + 1)).toHaveLength(1)
  })
})

describe('what is refused', () => {
  test.each([
    ['positions that fall', [bcfRecord(0, 9, 1), bcfRecord(0, 8, 1)], 'UNSORTED', 2],
    ['a contig in two places', [bcfRecord(0, 9, 1), bcfRecord(3, 8, 1), bcfRecord(0, 10, 1)], 'UNSORTED', 3],
    ['a contig that the header lacks', [bcfRecord(0, 9, 1), bcfRecord(1, 8, 1)], 'BCF_RECORD_INVALID', 2],
    ['no contig', [bcfRecord(-1, 8, 1)], 'BCF_RECORD_INVALID', 1],
    ['a record that is too short', [uint32(3, 0, 0, 0, 0, 0, 0, 0)], 'BCF_RECORD_INVALID', 1],
  ])('%s, with the place and a hint', (_name, records, code, record) => {
    expect(errorOf(bcf(...records))).toMatchObject({
      code,
      place: { record, virtualOffset: expect.stringMatching(/^\d+:\d+$/) },
      hint: expect.stringContaining('bcftools'),
    })
  })

  test('a file that ends within a record', () => {
    expect(errorOf(bcf(bcfRecord(0, 9, 1).subarray(0, 20)))).toMatchObject({ code: 'BCF_TRUNCATED' })
  })
})

describe('whatever comes', () => {
  const random = seededRandom(1)
  const records = [0, 3].flatMap(chrom => {
    let pos = 0
    return Array.from({ length: 60 }, () =>
      bcfRecord(chrom, (pos += random.below(20_000)), random.below(3000), { samples: random.below(400) }),
    )
  })
  const plain = joined(header, ...records)
  const whole = writeBgzf(plain, { blockSize: 3000 })
  const expected = index(whole)

  test('any chunks give the same indexes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9000 }), size => {
        expect(index(whole, size)).toEqual(expected)
      }),
      { numRuns: 30 },
    )
  })

  test('cut anywhere: only our own errors', () => {
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), size => {
        expect(errorOf(whole.subarray(0, size))).toBeInstanceOf(HtsvaultError)
      }),
      { numRuns: 200 },
    )
  })

  test('bytes changed under a right checksum: only our own errors', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: plain.length - 1 }), fc.nat({ max: 255 })), { maxLength: 5 }),
        changes => {
          const changed = plain.slice()
          for (const [at, byte] of changes) changed[at] = byte
          const error = errorOf(writeBgzf(changed, { level: 1 }))
          if (error !== undefined) expect(error).toBeInstanceOf(HtsvaultError)
        },
      ),
      { numRuns: 200 },
    )
  })
})
