import { describe, expect, test } from '@jest/globals'
import { deflateRawSync } from 'node:zlib'
import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import { BlocksAhead } from '#shared/bgzf/BlocksAhead.ts'
import { inflateCalls, inflateRaw, mostTogether } from '#shared/bgzf/inflateRaw.ts'
import { reblock } from '#test/support/reblock.ts'

const plainOf = (n: number, seed: number) =>
  Uint8Array.from({ length: n }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 24) & 63)

/** Twenty blocks of other sizes, and where they are. */
const sizes = Array.from({ length: 20 }, (_, i) => 500 + 97 * ((i * 7) % 20))
const plain = plainOf(
  sizes.reduce((a, b) => a + b),
  3,
)
const file = new Uint8Array(reblock(plain, { sizeOf: i => sizes[i]!, eof: false }))
const blocks = sizes.map((size, i) => {
  const before = sizes.slice(0, i).reduce((a, b) => a + b, 0)
  return { wanted: plain.slice(before, before + size), at: 0, size: 0 }
})
let end = 0
for (const block of blocks) {
  block.at = end
  block.size = file[end + 16]! + file[end + 17]! * 256 + 1
  end += block.size
}

describe('blocks that are inflated a few at a time', () => {
  test('are each what they are alone, in order and out of order', () => {
    const ahead = new BlocksAhead()
    const take = (i: number) => ahead.take(file, blocks[i]!.at, blocks[i]!.size)
    for (const [i, { wanted }] of blocks.entries()) expect(take(i)).toEqual(wanted)
    for (const i of [3, 4, 9, 10, 11, 2, 2, 19, 0, 1]) expect(take(i)).toEqual(blocks[i]!.wanted)
  })

  test('are still themselves after others of this thread', () => {
    const ahead = new BlocksAhead()
    const other = deflateRawSync(plainOf(60_000, 9))
    for (const { at, size, wanted } of blocks) {
      expect(ahead.take(file, at, size)).toEqual(wanted)
      expect(inflateRaw(other, 60_000)).toHaveLength(60_000)
    }
  })

  test('come up to the one that is damaged, and after it', () => {
    for (const bad of [0, 1, mostTogether - 1, mostTogether, 19]) {
      const damaged = file.slice()
      // The length that it says of itself: no other can be right.
      damaged[blocks[bad]!.at + blocks[bad]!.size - 4]! ^= 1
      const ahead = new BlocksAhead()
      for (const [i, { at, size, wanted }] of blocks.entries())
        expect(ahead.take(damaged, at, size)).toEqual(i === bad ? undefined : wanted)
    }
  })

  test('are as few as there is room for, where they hardly compress', () => {
    const stored = new Uint8Array(reblock(plainOf(600_000, 7), { sizeOf: () => 60_000, level: 0 }))
    const size = stored[16]! + stored[17]! * 256 + 1
    const ahead = new BlocksAhead()
    const calls = inflateCalls()
    for (let i = 0; i < 10; i++)
      expect(ahead.take(stored, i * size, size)).toEqual(
        plainOf(600_000, 7).slice(i * 60_000, (i + 1) * 60_000),
      )
    // Four fit 256 KiB.
    expect(inflateCalls() - calls).toBe(3)
  })

  test('end where what follows is no block, or not whole', () => {
    const [first, second] = [blocks[0]!, blocks[1]!]
    for (const rest of [file.subarray(second.at, second.at + second.size - 1), plainOf(300, 1)]) {
      const bytes = new Uint8Array(Buffer.concat([file.subarray(0, second.at), rest]))
      expect(new BlocksAhead().take(bytes, first.at, first.size)).toEqual(first.wanted)
    }
  })

  test('are those of each chunk, where all come in one array', () => {
    // Stored, so that blocks lie in the same places in every chunk.
    const stored = reblock(plainOf(12_000, 5), { sizeOf: () => 1000, level: 0 })
    const seen: Uint8Array[] = []
    const reader = new BgzfReader(block => seen.push(block.slice()))
    const size = stored.readUInt16LE(16) + 1
    const chunk = Buffer.alloc(3 * size)
    for (let at = 0; at < stored.length; at += chunk.length) {
      const bytes = stored.copy(chunk, 0, at)
      reader.push(bytes < chunk.length ? chunk.subarray(0, bytes) : chunk)
    }
    reader.finish()
    expect(new Uint8Array(Buffer.concat(seen))).toEqual(plainOf(12_000, 5))
  })
})
