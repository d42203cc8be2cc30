import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { planShards } from '#shared/indexes/shards/planShards.ts'

describe('cutting a file into shards', () => {
  test.each([
    [100, {}, [[0, 100]]],
    [
      100,
      { count: 3 },
      [
        [0, 34],
        [34, 68],
        [68, 100],
      ],
    ],
    [
      100,
      { count: 3, minBytes: 50 },
      [
        [0, 50],
        [50, 100],
      ],
    ],
    [100, { count: 3, minBytes: 101 }, [[0, 100]]],
    [
      100,
      { count: 3, granule: 40 },
      [
        [0, 80],
        [80, 100],
      ],
    ],
    [
      3,
      { count: 9 },
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
    ],
    [0, { count: 9 }, [[0, 0]]],
  ] as const)('%i bytes, %j', (size, plan, ranges) => {
    expect(planShards(size, plan)).toEqual(ranges.map(([start, end]) => ({ start, end })))
  })

  test('they follow each other from the first byte to the last, few enough and long enough', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 47 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.constantFrom(1, 1000, 65_536),
        (size, count, minBytes, granule) => {
          const ranges = planShards(size, { count, minBytes, granule })
          expect(ranges.length).toBeLessThanOrEqual(count)
          expect(ranges[0]!.start).toBe(0)
          expect(ranges.at(-1)!.end).toBe(size)
          const wrong = ranges
            .slice(0, -1)
            .filter(
              ({ start, end }, i) =>
                ranges[i + 1]!.start !== end || end % granule !== 0 || end - start < minBytes,
            )
          expect(wrong).toEqual([])
          const last = ranges.at(-1)!
          expect(last.end).toBeGreaterThan(last.start)
        },
      ),
      { numRuns: 500, seed: 8 },
    )
  })
})
