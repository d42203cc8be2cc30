import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { blockOf, virtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import type { Region } from '#shared/indexes/blockMap/Region.ts'
import { mapOf, unitsByDefinition, type ModelFile, type ModelRecord } from './model.ts'

interface Shape {
  readonly recordsPerUnit: readonly [number, number]
  readonly steps: readonly number[]
  readonly lengths: readonly number[]
}

/** Files of up to 400 records on up to 12 references, some empty, some unplaced, with long records among them. */
const files = ({ recordsPerUnit, steps, lengths }: Shape): fc.Arbitrary<ModelFile> =>
  fc
    .record({
      order: fc.shuffledSubarray(
        Array.from({ length: 12 }, (_, i) => i),
        { minLength: 0 },
      ),
      perReference: fc.array(fc.nat(60), { minLength: 12, maxLength: 12 }),
      unplaced: fc.nat(20),
      steps: fc.array(fc.constantFrom(...steps), { minLength: 7, maxLength: 31 }),
      lengths: fc.array(fc.constantFrom(...lengths), { minLength: 5, maxLength: 29 }),
      units: fc.array(fc.integer({ min: recordsPerUnit[0], max: recordsPerUnit[1] }), {
        minLength: 3,
        maxLength: 13,
      }),
      withins: fc.array(fc.constantFrom(0, 0, 1, 40_000), { minLength: 3, maxLength: 5 }),
    })
    .map(({ order, perReference, unplaced, steps, lengths, units, withins }) => {
      const records: ModelRecord[] = []
      let n = 0
      let unit = 0
      let left = units[0]!
      let block = 100
      const push = (refId: number, beg: number, end: number) => {
        if (left-- === 0) {
          unit++
          left = units[unit % units.length]! - 1
          block += 1 + (unit % 3) * 20_000
        }
        const within = withins[unit % withins.length]! + (units[unit % units.length]! - left)
        records.push({ refId, beg, end, start: virtualOffset(block, within) })
        n++
      }
      for (const refId of order) {
        let beg = 0
        for (let i = 0; i < perReference[refId]!; i++) {
          beg += steps[n % steps.length]!
          push(refId, beg, beg + lengths[n % lengths.length]!)
        }
      }
      for (let i = 0; i < unplaced; i++) push(-1, -1, 0)
      const references = Array.from({ length: 12 }, (_, i) => ({ name: `ref:${i}`, length: 2 ** 31 - 1 }))
      return { references, records, dataEnd: virtualOffset(block + 30_000, 0) }
    })

const regions = (minLength: number): fc.Arbitrary<Region[]> =>
  fc.array(
    fc.oneof(
      { arbitrary: fc.constant<Region>('unplaced'), weight: 1 },
      {
        arbitrary: fc
          .tuple(
            fc.integer({ min: 0, max: 12 }),
            fc.oneof(fc.nat(3000), fc.nat(300_000)),
            fc.oneof(fc.nat(2000), fc.nat(200_000), fc.constant(Infinity)),
          )
          .map(([refId, start, length]) => ({ refId, start, end: start + Math.max(length, minLength) })),
        weight: 6,
      },
    ),
    { maxLength: 6 },
  )

const layouts = fc.record({
  leafUnits: fc.integer({ min: 1, max: 5 }),
  leafBytes: fc.constantFrom(1, 40, 8192),
  fanOut: fc.integer({ min: 2, max: 4 }),
})

const placesOf = (units: readonly { start: VirtualOffset; end: VirtualOffset }[]) =>
  units.map(({ start, end }) => [start, end])

test('gives exactly the units that hold an overlapping record, for any regions', async () => {
  const shape = { recordsPerUnit: [1, 17], steps: [0, 1, 100, 5000], lengths: [0, 1, 100, 150_000] } as const
  let compared = 0
  await fc.assert(
    fc.asyncProperty(files(shape), layouts, regions(256), async (file, layout, asked) => {
      const map = await openBlockMap(memorySource(mapOf(file, layout)))
      const units = await map.units(asked)
      expect(placesOf(units)).toEqual(placesOf(unitsByDefinition(file, asked)))
      compared += units.length
    }),
    { numRuns: 1500 },
  )
  expect(compared).toBeGreaterThan(1000)
})

test('misses no record where a unit has more gaps than it keeps, or narrower ones', async () => {
  const shape = { recordsPerUnit: [1, 80], steps: [1, 10, 300, 5000], lengths: [1, 100] } as const
  await fc.assert(
    fc.asyncProperty(files(shape), layouts, regions(0), async (file, layout, asked) => {
      const map = await openBlockMap(memorySource(mapOf(file, layout)))
      const units = await map.units(asked)
      for (const { start, end } of unitsByDefinition(file, asked))
        expect(units.some(unit => unit.start <= start && end <= unit.end)).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('names as border the start of the next block, wherever a unit begins within one', async () => {
  const shape = { recordsPerUnit: [1, 4], steps: [500], lengths: [100] } as const
  await fc.assert(
    fc.asyncProperty(files(shape), layouts, regions(0), async (file, layout, asked) => {
      const map = await openBlockMap(memorySource(mapOf(file, layout)))
      const blocks = [...new Set(file.records.map(r => Math.floor(r.start / 65536)))]
      blocks.push(Math.floor(file.dataEnd / 65536))
      for (const { start, border } of await map.units(asked))
        expect(border).toBe(blocks.find(block => block * 65536 >= start))
    }),
    { numRuns: 500 },
  )
})

test('does not depend on how its pages are cut', async () => {
  const shape = { recordsPerUnit: [1, 9], steps: [1, 700], lengths: [1, 9000] } as const
  await fc.assert(
    fc.asyncProperty(files(shape), layouts, regions(0), async (file, layout, asked) => {
      const cut = await openBlockMap(memorySource(mapOf(file, layout)))
      const whole = await openBlockMap(memorySource(mapOf(file)))
      expect(await cut.units(asked)).toEqual(await whole.units(asked))
    }),
    { numRuns: 500 },
  )
})

test('with a limit gives the same units in ranges that are no longer, and that begin where units do', async () => {
  const shape = { recordsPerUnit: [1, 9], steps: [1, 700], lengths: [1, 9000] } as const
  const limits = fc.constantFrom(0, 1, 30_000, 100_000, 1_000_000)
  let cut = 0
  await fc.assert(
    fc.asyncProperty(files(shape), layouts, regions(0), limits, async (file, layout, asked, limit) => {
      const map = await openBlockMap(memorySource(mapOf(file, layout)))
      const starts = [...new Set(file.records.map(record => record.start))]
      const unitStarts = starts.filter(
        (start, i) => blockOf(start) !== blockOf(starts[i - 1] ?? (-1 as VirtualOffset)),
      )
      for (const wanted of [asked, ['everything' as const]]) {
        const whole = await map.units(wanted)
        const limited = await map.units(wanted, limit)
        cut += limited.length - whole.length
        const joined: [number, number][] = []
        for (const { start, end, border } of limited) {
          expect(border).toBeGreaterThanOrEqual(start / 65536)
          const last = joined.at(-1)
          if (last?.[1] === start) last[1] = end
          else joined.push([start, end])
          const within = unitStarts.filter(at => at > start && at < end)
          expect(unitStarts).toContain(start)
          if (blockOf(end) - blockOf(start) > limit) expect(within).toEqual([])
        }
        expect(joined).toEqual(placesOf(whole))
      }
    }),
    { numRuns: 500 },
  )
  expect(cut).toBeGreaterThan(1000)
})
