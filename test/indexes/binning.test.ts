import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { virtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { readBai } from '#shared/indexes/bai/readBai.ts'
import { writeBai } from '#shared/indexes/bai/writeBai.ts'
import type { BinningIndex } from '#shared/indexes/binning/BinningIndex.ts'
import { BinningIndexBuilder } from '#shared/indexes/binning/BinningIndexBuilder.ts'
import {
  baiScheme,
  binCount,
  binOfWindows,
  csiScheme,
  firstWindow,
  levelOf,
  metadataBin,
} from '#shared/indexes/binning/bins.ts'
import { khashOrder } from '#shared/indexes/binning/khashOrder.ts'
import { queryChunks, recordCounts } from '#shared/indexes/binning/queryChunks.ts'
import { readCsi } from '#shared/indexes/csi/readCsi.ts'
import { writeCsi } from '#shared/indexes/csi/writeCsi.ts'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { errorOf } from '#test/support/indexing.ts'

/** SAMv1 §5.3, reg2bin, as the specification prints it. */
function reg2bin(beg: number, end: number): number {
  --end
  if (beg >> 14 === end >> 14) return ((1 << 15) - 1) / 7 + (beg >> 14)
  if (beg >> 17 === end >> 17) return ((1 << 12) - 1) / 7 + (beg >> 17)
  if (beg >> 20 === end >> 20) return ((1 << 9) - 1) / 7 + (beg >> 20)
  if (beg >> 23 === end >> 23) return ((1 << 6) - 1) / 7 + (beg >> 23)
  if (beg >> 26 === end >> 26) return ((1 << 3) - 1) / 7 + (beg >> 26)
  return 0
}

interface Read {
  readonly refId: number
  readonly beg: number
  readonly end: number
  readonly start: VirtualOffset
}

/** Sorted reads, one behind another in a file, some 100 kB apart now and then. */
const reads = fc
  .array(
    fc.record({
      refId: fc.nat(3),
      beg: fc.oneof(fc.nat(40_000), fc.nat(2 ** 29 - 1)),
      length: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 3_000_000 })),
      block: fc.oneof(fc.constant(0), fc.constant(20_000), fc.constant(100_000)),
    }),
    { minLength: 1, maxLength: 80 },
  )
  .map(list => {
    let block = 0
    let within = 100
    return list
      .sort((a, b) => a.refId - b.refId || a.beg - b.beg)
      .map(({ refId, beg, length, block: forward }): Read => {
        if (forward > 0) within = 0
        block += forward
        within += 36
        return { refId, beg, end: Math.min(beg + length, 2 ** 29), start: virtualOffset(block, within) }
      })
  })

const fileEnd = virtualOffset(20_000_000, 0)

function build(list: readonly Read[], linear: boolean, depth = 5) {
  const builder = new BinningIndexBuilder({ minShift: 14, depth, references: 5, linear })
  for (const { refId, beg, end, start } of list) builder.add(refId, beg, end, start, true)
  return builder
}

/** An index whose columns are text: compared at once, number by number they take seconds. */
const flat = (index: BinningIndex) =>
  Object.fromEntries(
    Object.entries(index).map(([name, value]: [string, unknown]) => [
      name,
      ArrayBuffer.isView(value)
        ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
        : value,
    ]),
  )

describe('the binning scheme', () => {
  test('gives the bins of the specification', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 29 - 1), fc.integer({ min: 1, max: 2 ** 28 }), (beg, length) => {
        const end = Math.min(beg + length, 2 ** 29)
        expect(binOfWindows(beg >> 14, (end - 1) >> 14, 5)).toBe(reg2bin(beg, end))
      }),
    )
  })

  test('has the numbers that the specification names', () => {
    expect(binCount(5)).toBe(37449)
    expect(metadataBin(5)).toBe(37450)
    expect([0, 1, 8, 9, 72, 73, 584, 585, 4680, 4681, 37448].map(levelOf)).toEqual([
      0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5,
    ])
    expect([0, 1, 2, 4681, 4682, 585, 586].map(bin => firstWindow(bin, 5))).toEqual([0, 0, 4096, 0, 1, 0, 8])
    expect(csiScheme(2 ** 29 - 256).depth).toBe(5)
    expect(csiScheme(2 ** 29 - 255).depth).toBe(6)
  })
})

test('khash: keys come in the order of their buckets', () => {
  expect([...khashOrder([])]).toEqual([])
  expect([...khashOrder([6, 5])]).toEqual([1, 0])
  expect([...khashOrder([8, 4])]).toEqual([0, 1])
  // 8 in bucket 0, 4 after it in 1, 0 in 3; then the table is doubled, and 0 comes right after 8.
  expect([...khashOrder([8, 4, 0])]).toEqual([0, 2, 1])
  expect([...khashOrder([8, 4, 0, 1])]).toEqual([0, 2, 3, 1])
  // 6 after 2 in bucket 3, 3 wrapped around to 0: it kicks 6 out when the table is doubled.
  expect([...khashOrder([2, 6, 3])]).toEqual([0, 2, 1])
  expect([...khashOrder([2, 6, 3, 7])]).toEqual([0, 2, 1, 3])
})

describe('BinningIndexBuilder', () => {
  test.each([true, false])('what it builds finds every read that overlaps (linear: %s)', linear => {
    fc.assert(
      fc.property(
        reads,
        fc.nat(3),
        fc.nat(2 ** 29 - 1),
        fc.integer({ min: 1, max: 2 ** 24 }),
        (list, refId, at, length) => {
          const index = build(list, linear).finish(fileEnd)
          const queries: [number, number, number][] = [[refId, at, at + length]]
          for (const read of list)
            queries.push([read.refId, read.beg, read.beg + 1], [read.refId, read.end - 1, read.end])
          for (const [ref, beg, end] of queries) {
            const ranges = queryChunks(index, ref, beg, end)
            const missed = list.filter(
              read =>
                read.refId === ref &&
                read.beg < end &&
                read.end > beg &&
                !ranges.some(({ start, end: stop }) => start <= read.start && read.start < stop),
            )
            expect(missed).toEqual([])
          }
        },
      ),
    )
  })

  test('a file that is written is read back', () => {
    fc.assert(
      fc.property(reads, list => {
        const bai = build(list, true).finish(fileEnd)
        expect(flat(readBai(writeBai(bai)))).toEqual(
          flat({ ...bai, loffsets: new Float64Array(bai.bins.length) }),
        )
        const csi = build(list, false).finish(fileEnd)
        const aux = Uint8Array.of(1, 2, 3)
        expect(readCsi(writeCsi(csi, aux))).toEqual({ index: csi, aux })
        const counts = [0, 1, 2, 3, 4].map(refId => list.filter(read => read.refId === refId).length)
        expect(counts.map((_, refId) => recordCounts(bai, refId)?.mapped ?? 0)).toEqual(counts)
      }),
    )
  })

  test('the depth may be settled at the end', () => {
    fc.assert(
      fc.property(reads, fc.boolean(), (list, linear) => {
        const late = build(list, true, 9).finish(fileEnd, { depth: 5, linear })
        expect(flat(late)).toEqual(flat(build(list, linear).finish(fileEnd)))
      }),
    )
  })

  test('what is not sorted, or does not fit, is refused', () => {
    const at = (n: number) => virtualOffset(0, n)
    const codeAfter = (...records: [refId: number, beg: number, end: number][]) =>
      errorOf(() => {
        const builder = new BinningIndexBuilder({ ...baiScheme, linear: true })
        records.forEach(([refId, beg, end], i) => builder.add(refId, beg, end, at(i), true))
      })
    expect(codeAfter([0, 5, 6], [0, 5, 7], [1, 0, 1], [-1, -1, 0])).toBeUndefined()
    expect(codeAfter([1, 5, 6], [0, 5, 7])).toBeUndefined()
    expect(codeAfter([0, 5, 6], [0, 4, 7])).toMatchObject({
      code: 'UNSORTED',
      place: { virtualOffset: '0:1' },
    })
    expect(codeAfter([0, 5, 6], [1, 4, 7], [0, 9, 10])).toMatchObject({ code: 'UNSORTED' })
    expect(codeAfter([-1, -1, 0], [0, 9, 10])).toMatchObject({ code: 'UNSORTED' })
    expect(codeAfter([0, 5, 4])).toMatchObject({ code: 'RECORD_ENDS_BEFORE_START' })
    expect(codeAfter([0, 2 ** 29 - 1, 2 ** 29])).toBeUndefined()
    expect(codeAfter([0, 2 ** 29, 2 ** 29 + 1])).toMatchObject({ code: 'POSITION_TOO_LARGE' })
    const deep = build([{ refId: 0, beg: 2 ** 30, end: 2 ** 30 + 1, start: at(0) }], true, 6)
    expect(errorOf(() => deep.finish(at(9), { depth: 5 }))).toMatchObject({ code: 'POSITION_TOO_LARGE' })
  })

  test('a linear index over 128 MiB is refused before it is made', () => {
    const builder = new BinningIndexBuilder({ ...baiScheme, linear: true })
    for (let refId = 0; refId < 513; refId++)
      builder.add(refId, 2 ** 29 - 1, 2 ** 29, virtualOffset(0, refId), true)
    expect(errorOf(() => builder.finish(fileEnd))).toMatchObject({ code: 'INDEX_TOO_LARGE' })
  })
})

describe('damaged indexes', () => {
  const list: Read[] = [
    { refId: 0, beg: 5, end: 90, start: virtualOffset(0, 50) },
    { refId: 2, beg: 70_000, end: 200_000, start: virtualOffset(700_000, 50) },
  ]

  test('cut anywhere or with any byte changed, a BAI is read or ends in our own error', () => {
    const file = writeBai(build(list, true).finish(fileEnd))
    // The count of unplaced records is missing in old files.
    for (let end = 0; end < file.length - 8; end++)
      expect(errorOf(() => readBai(file.subarray(0, end)))).toMatchObject({ code: 'INDEX_INVALID' })
    expect(readBai(file.subarray(0, -8)).unplaced).toBeUndefined()
    for (let at = 0; at < file.length; at++)
      for (const value of [0, 0x7f, 0x80, 0xff]) {
        const changed = file.slice()
        changed[at] = value
        errorOf(() => queryChunks(readBai(changed), 2, 0, 2 ** 29))
      }
  })

  test('a CSI with any byte changed is read or ends in our own error', () => {
    const file = readBgzf(writeCsi(build(list, false).finish(fileEnd)))
    expect(readCsi(file)).toEqual(readCsi(writeCsi(build(list, false).finish(fileEnd))))
    for (let at = 0; at < file.length; at++)
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = file.slice()
        changed[at] = value
        errorOf(() => queryChunks(readCsi(changed).index, 2, 0, 2 ** 29))
      }
  })
})
