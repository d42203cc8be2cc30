import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import type { InflateBlock } from '#shared/bgzf/inflateAhead.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { ringMemory, SlotRing } from '#shared/indexes/SlotRing.ts'
import { SlotWriter } from '#shared/indexes/SlotWriter.ts'
import { seededRandom } from '#test/support/random.ts'
import { reblock } from '#test/support/reblock.ts'

/** Puts a file that fits the ring into it, as `chunkBytes` at a time come by. */
async function fill(ring: SlotRing, file: Uint8Array, chunkBytes: number): Promise<void> {
  const writer = new SlotWriter(ring, () => Promise.reject(new Error('the file does not fit the ring')))
  for (let at = 0; at < file.length; at += chunkBytes) await writer.write(file.slice(at, at + chunkBytes))
  await writer.end()
}

/** What a reader hands on, or its error. */
function readAll(push: (reader: BgzfReader) => void, inflate?: InflateBlock): unknown {
  const seen: unknown[] = []
  const take = (plain: Uint8Array, offset: number, size: number) =>
    seen.push([offset, size, Buffer.from(plain).toString('latin1')])
  const reader = new BgzfReader(take, 0, inflate)
  try {
    push(reader)
    reader.finish()
    return seen
  } catch (error) {
    if (!(error instanceof HtsvaultError)) throw error
    return [...seen, error.toReport()]
  }
}

function readRing(ring: SlotRing): { outcome: unknown; ownBlocks: number } {
  let ownBlocks = 0
  const outcome = readAll(
    reader => {
      for (let bytes = ring.take(); bytes; bytes = ring.take()) {
        reader.push(bytes)
        ring.release()
      }
    },
    (...block) => {
      const plain = ring.inflate(...block)
      if (!(plain.buffer instanceof SharedArrayBuffer)) ownBlocks++
      return plain
    },
  )
  return { outcome, ownBlocks }
}

const bgzf = (seed: number, bytes: number, largest: number) => {
  const random = seededRandom(seed)
  const plain = Uint8Array.from({ length: bytes }, () => random.below(256))
  const sizeOf = () => (random.chance(0.1) ? 0 : random.between(1, largest))
  return new Uint8Array(reblock(plain, { sizeOf, level: 1 }))
}

describe('a ring of slots', () => {
  test('blocks inflated ahead are the reader’s, those of a file that is damaged too', async () => {
    const change = fc.constantFrom('none', 'damaged', 'cut', 'other') satisfies fc.Arbitrary<string>
    await fc.assert(
      fc.asyncProperty(
        fc.record({ seed: fc.nat(1000), bytes: fc.integer({ min: 1, max: 600_000 }) }),
        fc.constantFrom(3000, 65_000),
        change,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.constantFrom(10_007, 1 << 20),
        fc.boolean(),
        async ({ seed, bytes }, largest, how, share, chunkBytes, ahead) => {
          let file = bgzf(seed, bytes, largest)
          const place = Math.floor(share * file.length)
          if (how === 'damaged') file[place]! ^= 1 << (seed % 8)
          if (how === 'cut') file = file.slice(0, place)
          if (how === 'other') file = file.fill(7, place)
          const memory = ringMemory()
          await fill(new SlotRing(memory), file, chunkBytes)
          if (ahead) new SlotRing(memory).inflateAhead()
          expect(readRing(new SlotRing(memory)).outcome).toEqual(readAll(reader => reader.push(file)))
        },
      ),
      { numRuns: 20, seed: 6 },
    )
  })

  test('all blocks of a batch are inflated ahead, and none where nobody did', async () => {
    const file = bgzf(1, 1_500_000, 65_000)
    const [helped, alone] = [ringMemory(), ringMemory()]
    for (const memory of [helped, alone]) await fill(new SlotRing(memory), file, 100_000)
    new SlotRing(helped).inflateAhead()
    expect(readRing(new SlotRing(helped)).ownBlocks).toBe(0)
    expect(readRing(new SlotRing(alone)).ownBlocks).toBeGreaterThan(20)
  })

  test('what inflates to more than a slot is given is left to the reader', async () => {
    const file = new Uint8Array(reblock(new Uint8Array(6 << 20), { sizeOf: () => 65_536 }))
    const memory = ringMemory()
    await fill(new SlotRing(memory), file, 1 << 20)
    new SlotRing(memory).inflateAhead()
    const { outcome, ownBlocks } = readRing(new SlotRing(memory))
    expect(outcome).toEqual(readAll(reader => reader.push(file)))
    // Of 96 blocks, all in one slot, the first 16 fill what it is given.
    expect(ownBlocks).toBe(96 - 16)
  })
})
