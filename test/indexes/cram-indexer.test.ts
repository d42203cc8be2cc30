import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { readCrai } from '#shared/indexes/crai/readCrai.ts'
import { CramIndexer } from '#shared/indexes/CramIndexer.ts'
import { fixturesOf, refusedFixtures } from '#test/fixtures/index.ts'
import {
  compressionHeader,
  container,
  cramFile,
  encoding,
  eofContainer,
  itf8,
  slice,
  type Bytes,
} from '#test/support/cramBuilder.ts'
import { errorOf, indexInChunks } from '#test/support/indexing.ts'
import { seededRandom } from '#test/support/random.ts'

const index = (file: Uint8Array, sizes?: readonly number[]) => indexInChunks(new CramIndexer(), file, sizes)
const crai = (file: Uint8Array, sizes?: readonly number[]) =>
  gunzipSync(index(file, sizes).index.bytes).toString()

const references = [
  ['a', 1000],
  ['b', 2000],
] as const

const compression = compressionHeader({
  series: {
    BF: encoding.external(2),
    RI: encoding.external(3),
    RL: encoding.constant(10),
    AP: encoding.external(1),
    FN: encoding.constant(0),
  },
})
/** A container of one slice of several references, with reads of 10 bases: `[reference, position]`. */
const several = (...reads: readonly (readonly [number, number])[]): Bytes =>
  container({
    records: reads.length,
    compression,
    slices: [
      slice({
        records: reads.length,
        externals: {
          1: reads.flatMap(([, at]) => itf8(at)),
          2: reads.flatMap(([, at]) => itf8(at === 0 ? 4 : 0)),
          3: reads.flatMap(([refId]) => itf8(refId)),
        },
      }),
    ],
  })
const one = (refId: number, start: number, span: number, records = 1): Bytes =>
  container({ refId, start, span, records, compression, slices: [slice({ refId, start, span, records })] })

describe('what it finds', () => {
  test('a line for each slice, or each run of records on one reference', async () => {
    const file = cramFile(references, [
      one(0, 11, 90, 5),
      several([0, 101], [0, 120], [1, 7], [1, 7], [-1, 0], [-1, 0]),
      one(-1, 0, 0, 3),
    ])
    const found = index(file)
    const lines = gunzipSync(found.index.bytes).toString().split('\n')
    expect(lines.map(line => line.split('\t').slice(0, 3).join(' '))).toEqual([
      '0 11 90',
      '0 101 29',
      '1 7 10',
      '-1 0 1',
      '-1 0 0',
      '',
    ])
    expect(found).toMatchObject({
      format: 'CRAM',
      formatVersion: '3.0',
      references: [
        { name: 'a', length: 1000 },
        { name: 'b', length: 2000 },
      ],
      records: 14,
      unplacedRecords: 5,
      size: file.length,
      index: { kind: 'crai' },
    })
    expect(found.dataEnd).toBe((file.length - eofContainer().length) * 65536)

    const map = await openBlockMap(memorySource(found.blockMap))
    const offsets = lines.slice(0, -1).map(line => Number(line.split('\t')[3]))
    expect(found.headerEnd).toBe(offsets[0]! * 65536)
    const [first, second, third] = [offsets[0]!, offsets[1]!, offsets[4]!]
    const end = found.dataEnd / 65536
    const units = async (refId: number, start: number, end: number) =>
      (await map.units([{ refId, start, end }])).map(run => [run.start / 65536, run.end / 65536])
    expect(await units(0, 0, 10)).toEqual([])
    expect(await units(0, 10, 11)).toEqual([[first, second]])
    expect(await units(0, 99, 100)).toEqual([[first, second]])
    expect(await units(0, 100, 101)).toEqual([[second, third]])
    expect(await units(0, 129, 1000)).toEqual([])
    expect(await units(1, 0, 7)).toEqual([[second, third]])
    expect(await units(1, 0, 6)).toEqual([])
    expect((await map.units(['unplaced'])).map(run => [run.start / 65536, run.end / 65536])).toEqual([
      [second, end],
    ])
  })

  test('no records at all', () => {
    const found = index(cramFile(references, []))
    expect([found.records, gunzipSync(found.index.bytes).length]).toEqual([0, 0])
  })
})

describe('order', () => {
  test.each<[string, readonly Bytes[]]>([
    ['containers', [one(0, 50, 5), one(0, 49, 50)]],
    ['slices of several references', [several([0, 50], [0, 49])]],
    ['records after a slice', [one(0, 50, 5), several([0, 49])]],
    ['a slice after records', [several([0, 50]), one(0, 49, 5)]],
    ['a reference that comes again', [one(0, 50, 5), one(1, 49, 50), one(0, 60, 5)]],
    ['unplaced records in the middle', [one(-1, 0, 0), one(0, 49, 50), one(-1, 0, 0)]],
  ])('%s out of order are unsorted', (_, containers) => {
    const error = errorOf(() => index(cramFile(references, containers)))
    expect(error?.code).toBe('UNSORTED')
    expect(error?.hint).toContain('samtools sort')
    expect(error?.place?.offset).toBeGreaterThan(26)
  })

  test('the record that is out of order is named', () => {
    const error = errorOf(() => index(cramFile(references, [one(0, 1, 5, 3), several([0, 50], [0, 49])])))
    expect(error?.place?.record).toBe(5)
  })

  test('references need not come in the order of the header', () => {
    expect(crai(cramFile(references, [one(1, 50, 5), several([1, 60], [0, 3])])).split('\n')).toHaveLength(4)
  })

  test('a reference that the header has not', () => {
    for (const bytes of [one(2, 1, 1), several([2, 1])])
      expect(errorOf(() => index(cramFile(references, [bytes])))?.code).toBe('CRAM_CORRUPT')
  })
})

describe('the fixtures', () => {
  const crams = fixturesOf('CRAM')

  test('there are some of each version', () => {
    const versions = new Set(crams.map(({ path }) => index(readFileSync(path)).formatVersion))
    expect(versions).toEqual(new Set(['2.1', '3.0', '3.1']))
  })

  test('the same records reach as far, however they are written', () => {
    const reaches = new Map<string, Set<string>>()
    for (const { content, path } of crams) {
      const { refIds, starts, spans, length } = readCrai(index(readFileSync(path)).index.bytes)
      const reach = new Map<number, [first: number, end: number]>()
      for (let i = 0; i < length; i++) {
        const [first, end] = reach.get(refIds[i]!) ?? [Infinity, 0]
        reach.set(refIds[i]!, [Math.min(first, starts[i]!), Math.max(end, starts[i]! + spans[i]!)])
      }
      reach.delete(-1)
      reaches.set(content, (reaches.get(content) ?? new Set()).add(JSON.stringify([...reach])))
    }
    expect([...reaches].filter(([, each]) => each.size > 1)).toEqual([])
    expect(reaches.size).toBeLessThan(crams.length)
  })

  test('chunks of any size give the same bytes', () => {
    const wanted = new Map(crams.map(({ path }) => [path, index(readFileSync(path))]))
    fc.assert(
      fc.property(
        fc.constantFrom(...crams.filter(({ path }) => readFileSync(path).length < 200_000)),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 100_000 })), {
          minLength: 1,
          maxLength: 20,
        }),
        ({ path }, sizes) => {
          expect(index(readFileSync(path), sizes)).toEqual(wanted.get(path))
        },
      ),
      { numRuns: 100 },
    )
  })

  test.each(refusedFixtures.filter(({ name }) => name.endsWith('.cram')))(
    '$name: $code',
    ({ path, code }) => {
      const error = errorOf(() => index(readFileSync(path)))
      expect(error?.code).toBe(code)
      expect(error?.hint).toBeDefined()
      expect(error?.place?.offset).toBeGreaterThanOrEqual(0)
    },
  )

  test('damaged files end in our own errors', () => {
    const random = seededRandom(3)
    let refused = 0
    const small = crams.filter(({ path }) => readFileSync(path).length < 60_000)
    expect(small.length).toBeGreaterThan(5)
    for (const { path } of small)
      for (let i = 0; i < 60; i++) {
        const file = Uint8Array.from(readFileSync(path))
        for (let changes = random.between(1, 4); changes > 0; changes--) {
          const at = random.below(file.length)
          if (random.chance(0.5)) file[at]! ^= 1 << random.below(8)
          else file.fill(random.chance(0.5) ? 0xff : random.below(256), at, at + random.between(1, 5))
        }
        const cut = random.chance(0.2) ? file.subarray(0, random.below(file.length)) : file
        try {
          index(cut)
        } catch (error) {
          if (!(error instanceof HtsvaultError)) throw error
          expect(error.code).not.toBe('')
          refused++
        }
      }
    expect(refused).toBeGreaterThan(small.length * 30)
  })
})
