import { readFileSync } from 'node:fs'
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readShardResult } from '#shared/indexes/shards/readShardResult.ts'
import type { ShardResult } from '#shared/indexes/shards/ShardResult.ts'
import { writeShardResult } from '#shared/indexes/shards/writeShardResult.ts'
import { fixtures } from '#test/fixtures/index.ts'
import { errorOf } from '#test/support/indexing.ts'
import { indexInShards, rangesAt } from '#test/support/sharding.ts'

/** Magic, version; then the length of the body, and its CRC32 when deflated. */
const headBytes = 16

function resultsOf(name: string): Uint8Array[] {
  const file = new Uint8Array(readFileSync(fixtures.find(each => each.name === name)!.path))
  const results: Uint8Array[] = []
  const through = (result: ShardResult) => {
    results.push(writeShardResult(result))
    return result
  }
  indexInShards(file, rangesAt(file.length, [file.length >> 1]), { through })
  return results
}

const results = ['bam/pairs-odd-blocks.bam', 'vcf/sites.vcf.gz', 'cram/pairs-slices-3.0.cram'].flatMap(
  resultsOf,
)
const bodyOf = (result: Uint8Array) => Uint8Array.from(inflateRawSync(result.subarray(headBytes)))

/** A result around a body, as a writer gone wrong would make it: with a checksum that is right. */
function around(body: Uint8Array, length = body.length): Uint8Array {
  const deflated = deflateRawSync(body)
  const head = Buffer.from(results[0]!.subarray(0, headBytes))
  head.writeUInt32LE(length, 8)
  head.writeUInt32LE(crc32(deflated), 12)
  return Uint8Array.from(Buffer.concat([head, deflated]))
}

const withSummary = (change: (summary: Record<string, unknown>) => unknown) => {
  const body = Buffer.from(bodyOf(results[0]!))
  const from = body[0]! < 128 ? 1 : 2
  const length = from === 1 ? body[0]! : (body[0]! & 127) + body[1]! * 128
  const summary = JSON.parse(body.toString('utf8', from, from + length)) as Record<string, unknown>
  const text = Buffer.from(JSON.stringify(change(summary)))
  const size = Buffer.from([(text.length & 127) | 128, text.length >> 7])
  return around(Buffer.concat([size, text, body.subarray(from + length)]))
}

describe('the result of a shard', () => {
  test('what was written is read', () => {
    for (const bytes of results) {
      expect(Buffer.compare(writeShardResult(readShardResult(bytes)), bytes)).toBe(0)
      expect(errorOf(() => readShardResult(around(bodyOf(bytes))))).toBeUndefined()
    }
    expect(errorOf(() => readShardResult(withSummary(summary => summary)))).toBeUndefined()
  })

  test('any byte changed, or cut off anywhere: it is damaged', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...results),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        (bytes, share, bits) => {
          const place = Math.floor(share * bytes.length)
          const changed = bits === 0 ? bytes.slice(0, place) : Uint8Array.from(bytes)
          if (bits > 0) changed[place]! ^= bits
          expect(errorOf(() => readShardResult(changed))?.code).toBe('SHARD_CORRUPT')
        },
      ),
      { numRuns: 300, seed: 1 },
    )
  })

  test('a body that nobody wrote so, with a checksum that is right: read, or damaged', () => {
    let damaged = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...results.map(bodyOf)),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(255)), {
          minLength: 1,
          maxLength: 4,
        }),
        (body, changes) => {
          const changed = Uint8Array.from(body)
          for (const [share, byte] of changes) changed[Math.floor(share ** 3 * body.length)] = byte
          const error = errorOf(() => readShardResult(around(changed)))
          if (error) damaged++
          expect(error?.code ?? 'SHARD_CORRUPT').toBe('SHARD_CORRUPT')
        },
      ),
      { numRuns: 500, seed: 2 },
    )
    expect(damaged).toBeGreaterThan(50)
  })

  test.each<[string, () => Uint8Array]>([
    ['no bytes', () => new Uint8Array(0)],
    ['a body longer than is told', () => around(bodyOf(results[0]!), 10)],
    ['a body shorter than is told', () => around(bodyOf(results[0]!), 2 ** 30)],
    ['more than a result can be', () => around(bodyOf(results[0]!), 2 ** 32 - 1)],
    // 64 MiB deflate to 64 kB: no more than is told is ever made.
    ['a bomb', () => around(new Uint8Array(64 << 20), 1000)],
    ['a summary that is none', () => withSummary(() => null)],
    ['a number that is text', () => withSummary(summary => ({ ...summary, records: 'many' }))],
    ['contigs that are no names', () => withSummary(summary => ({ ...summary, contigs: [{}] }))],
    ['counts that are missing', () => withSummary(summary => ({ ...summary, unplaced: undefined }))],
    ['an end without its size', () => withSummary(summary => ({ ...summary, end: { eof: '00' } }))],
    ['an error that is none', () => withSummary(summary => ({ ...summary, error: { code: 3 } }))],
    ['an order that is none', () => withSummary(summary => ({ ...summary, order: 'up' }))],
  ])('%s: damaged', (_what, make) => {
    expect(errorOf(() => readShardResult(make()))?.code).toBe('SHARD_CORRUPT')
  })
})
