import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  keptRanges,
  planEditList,
  throughEditList,
  totalBytes,
  isPortable,
} from '#shared/crypt4gh/editList.ts'
import { planSlice } from '#shared/crypt4gh/planSlice.ts'
import { plainRange, type PlainRange, plainSize, segmentBytes } from '#shared/crypt4gh/sizes.ts'
import { applyEditList } from './support.ts'

const text = Uint8Array.from({ length: 200 }, (_, i) => i)
const cut = (bytes: Uint8Array, ranges: readonly { start: number; end: number }[]) =>
  Uint8Array.from(ranges.flatMap(({ start, end }) => [...bytes.subarray(start, end)]))

const lists = fc.array(fc.oneof(fc.nat(60), fc.constant(0), fc.constant(Number.MAX_SAFE_INTEGER)), {
  maxLength: 12,
})
const rangesBelow = (size: number) =>
  fc
    .array(fc.tuple(fc.nat(size), fc.nat(size)), { maxLength: 6 })
    .map(pairs => pairs.map(([a, b]) => plainRange(Math.min(a, b), Math.max(a, b))))

describe('edit lists', () => {
  test('keep what the specification’s algorithm keeps', () => {
    fc.assert(
      fc.property(lists, list => {
        expect(cut(text, keptRanges(list, text.length))).toEqual(applyEditList(list, text))
      }),
    )
  })

  test.each([
    [[], [[0, 100]]],
    [[10], [[10, 100]]],
    [[10, 20], [[10, 30]]],
    [[10, 20, 0, 5], [[10, 35]]],
    [[10, 0, 5, 5], [[15, 20]]],
    [[90, 50], [[90, 100]]],
    [[200, 50], []],
    [[0, 0], []],
  ])('%j keeps %j of 100 bytes', (list, kept) => {
    expect(keptRanges(list, 100).map(({ start, end }) => [start, end])).toEqual(kept)
  })

  test('are planned in the plainest form: sorted, merged, even, no zero keeps', () => {
    const ranges = [plainRange(50, 60), plainRange(10, 20), plainRange(20, 30), plainRange(40, 40)]
    expect(planEditList(ranges)).toEqual([10, 20, 20, 10])
    expect(planEditList([plainRange(10, Infinity)])).toEqual([10])
    expect(keptRanges(planEditList([]), 100)).toEqual([])
  })

  test('compose: a new one through one that is there is one after the other', () => {
    fc.assert(
      fc.property(lists, rangesBelow(text.length), (list, ranges) => {
        const kept = keptRanges(list, text.length)
        const seen = applyEditList(list, text)
        const expected = applyEditList(planEditList(ranges), seen)
        expect(cut(text, throughEditList(ranges, kept))).toEqual(expected)
      }),
    )
  })
})

describe('slices', () => {
  const size = 5 * segmentBytes + 1234
  const sources = rangesBelow(size)

  /** What a reader sees: the slice's segments one after the other, then the edit list. Places, not bytes. */
  const shown = (ranges: readonly PlainRange[], known: number) => {
    const { body, editList } = planSlice(ranges, known)
    const segments = body.map(({ start, end }) => ({
      start: (start / 65564) * segmentBytes,
      end: Math.min(size, Math.ceil(end / 65564) * segmentBytes),
    }))
    const kept = keptRanges(editList ?? [], totalBytes(segments))
    return throughEditList(kept, segments as unknown as PlainRange[])
  }

  test('show just what was asked for, the size known or not', () => {
    fc.assert(
      fc.property(sources, ranges => {
        const wanted = keptRanges(planEditList(ranges), size)
        expect(shown(ranges, size)).toEqual(wanted)
        expect(shown(ranges, Infinity)).toEqual(wanted)
      }),
      { numRuns: 500 },
    )
  })

  test('hold no segment more, and have a list that every reader takes', () => {
    fc.assert(
      fc.property(sources, ranges => {
        const { body, editList } = planSlice(ranges, size)
        const wanted = new Set<number>()
        for (const { start, end } of ranges)
          for (let s = Math.floor(start / segmentBytes); s * segmentBytes < end; s++)
            if (end > start) wanted.add(s)
        expect(body.reduce((sum, { start, end }) => sum + Math.ceil((end - start) / 65564), 0)).toBe(
          wanted.size,
        )
        for (const { start, end } of body) expect(() => plainSize(end - start)).not.toThrow()
        if (editList) {
          expect(editList[0]).toBeLessThan(segmentBytes)
          expect(editList.length % 2).toBe(0)
          expect(editList.filter((_, i) => i % 2 === 1)).not.toContain(0)
          expect(editList.filter((_, i) => i > 0 && i % 2 === 0)).not.toContain(0)
        }
      }),
    )
  })

  test.each([
    ['whole segments', [plainRange(65536, 131072)]],
    ['whole segments that come to touch', [plainRange(0, 65536), plainRange(131072, 196608)]],
    ['the rest from a border on', [plainRange(262144, size)]],
    ['more than there is', [plainRange(0, size + 5)]],
    ['nothing', []],
  ])('%s need no list', (_, ranges) => {
    expect(planSlice(ranges, size).editList).toBeUndefined()
  })

  test('the specification’s example (§4.2.1)', () => {
    const ranges = [plainRange(0, 7853), plainRange(145110, 453039), plainRange(5485074, 5485112)]
    const { body, editList } = planSlice(ranges, 5485112)
    expect(editList).toEqual([0, 7853, 71721, 307929, 51299, 38])
    expect(body.map(({ start }) => start / 65564)).toEqual([0, 2, 83])
  })
})

describe('a list that every public reader takes', () => {
  const size = 200_000
  test.each([
    [[0, 10], true],
    [[0, 10, 5, size - 15], true],
    [Array.from({ length: 20 }, (_, i) => (i === 0 ? 0 : 5)), true],
    [Array.from({ length: 22 }, (_, i) => (i === 0 ? 0 : 5)), false],
    [[1, 10], false],
    [[0, 10, 5], false],
    [[0, 65536, 10, 10], false],
    [[0, 10, 65526, 10], false],
    [[0, 10, 65527, 10], true],
    [[], false],
  ])('%j: %s', (list, expected) => expect(isPortable(list, size)).toBe(expected))

  test("a body's end may be a segment's", () => expect(isPortable([0, 10, 5, 131_057], 131_072)).toBe(true))
})
