import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { IndexedFile } from '#shared/indexes/FileIndexer.ts'
import type { IndexLane } from '#shared/indexes/IndexLane.ts'
import { inlineIndexLane } from '#shared/indexes/inlineIndexLane.ts'
import { threadIndexLane } from '#shared/indexes/threadIndexLane.ts'
import { bamHeader, bamRecord } from '#test/support/bamBuilder.ts'
import { concatBytes } from '#test/support/concatBytes.ts'
import { reblock } from '#test/support/reblock.ts'

const demo = (name: string) => readFile(join(import.meta.dirname, '..', '..', 'demo', name))

async function indexBy(lane: IndexLane, bytes: Uint8Array, chunkBytes: number): Promise<IndexedFile> {
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) await lane.push(bytes.subarray(at, at + chunkBytes))
    return await lane.finish()
  } finally {
    await lane.close()
  }
}

describe('a thread that indexes', () => {
  test.each(['child.bam', 'child.cram', 'trio.vcf.gz', 'trio.bcf'])(
    '%s: as the own thread does',
    async name => {
      const bytes = await demo(name)
      const here = await indexBy(inlineIndexLane(), bytes, 10_000)
      // Many more chunks than the ring has slots.
      expect(await indexBy(threadIndexLane(), bytes, 1000)).toEqual(here)
      expect(await indexBy(threadIndexLane(), bytes, bytes.length)).toEqual(here)
    },
  )

  test('a BAM of many slots, beside others that inflate: as the own thread does', async () => {
    let pos = 0
    const records = Array.from({ length: 1500 }, (_, i) =>
      bamRecord({ refId: 0, pos: (pos += i % 30), bases: 3000 }),
    )
    const plain = concatBytes(bamHeader([['c', 5_000_000]]), ...records)
    // Stored: large without being slow to make.
    const bytes = Uint8Array.from(reblock(plain, { sizeOf: i => 60_000 - (i % 3), level: 0 }))
    expect(bytes.length).toBeGreaterThan(6 << 20)
    const here = await indexBy(inlineIndexLane(), bytes, 1 << 20)
    expect(await indexBy(threadIndexLane({ inflating: 1 }), bytes, 1 << 20)).toEqual(here)
    bytes[bytes.length - 100_000]! ^= 1
    await expect(indexBy(threadIndexLane({ inflating: 2 }), bytes, 1 << 20)).rejects.toMatchObject({
      code: 'BGZF_CRC',
      place: { offset: expect.any(Number) },
    })
  }, 30_000)

  test('the index that is wanted', async () => {
    const bytes = await demo('child.bam')
    const { index } = await indexBy(threadIndexLane({ index: 'csi' }), bytes, 1 << 16)
    expect(index.kind).toBe('csi')
    await expect(indexBy(threadIndexLane({ index: 'tbi' }), bytes, 1 << 16)).rejects.toMatchObject({
      code: 'INDEX_KIND_UNFIT',
    })
  })

  test('chunks longer than a slot', async () => {
    const bytes = new Uint8Array(40 << 20)
    await expect(indexBy(threadIndexLane(), bytes, bytes.length)).rejects.toMatchObject({
      code: 'UNKNOWN_FORMAT',
    })
  })

  test('its errors come out with their place, also while the ring is full', async () => {
    const bytes = (await demo('child.bam')).subarray(0, 90_000)
    await expect(indexBy(threadIndexLane(), bytes, 500)).rejects.toMatchObject({
      code: 'BGZF_TRUNCATED',
      place: { offset: expect.any(Number) },
      hint: expect.any(String),
    })
    const damaged = Uint8Array.from(await demo('child.bam'))
    damaged[80_000]! ^= 255
    await expect(indexBy(threadIndexLane(), damaged, 100)).rejects.toMatchObject({ name: 'HtsvaultError' })
  })

  test('it can be given up at any time, and twice', async () => {
    const lane = threadIndexLane()
    await lane.close()
    await lane.close()
    const waiting = threadIndexLane()
    await waiting.push(new Uint8Array(100))
    await waiting.close()
    await expect(waiting.finish()).rejects.toThrow('the indexing thread ended')
  })
})
