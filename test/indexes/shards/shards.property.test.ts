import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { createFileIndexer } from '#shared/indexes/createFileIndexer.ts'
import { readShardResult } from '#shared/indexes/shards/readShardResult.ts'
import type { ShardResult } from '#shared/indexes/shards/ShardResult.ts'
import type { ShardTask } from '#shared/indexes/shards/ShardTask.ts'
import { writeShardResult } from '#shared/indexes/shards/writeShardResult.ts'
import { fixtures, refusedFixtures } from '#test/fixtures/index.ts'
import { bamHeader, bamRecord } from '#test/support/bamBuilder.ts'
import { bcfHeader, bcfRecord } from '#test/support/bcfBytes.ts'
import { concatBytes } from '#test/support/concatBytes.ts'
import { errorOf, indexInChunks } from '#test/support/indexing.ts'
import { seededRandom } from '#test/support/random.ts'
import { reblock } from '#test/support/reblock.ts'
import { indexInShards, rangesAt } from '#test/support/sharding.ts'
import { variantText } from '#test/support/variantText.ts'

const runs = { numRuns: 40, seed: 4 }

const throughBytes = (result: ShardResult) => readShardResult(writeShardResult(result))

/** Cuts as shares of the file, so that they shrink with it; some of them close to each other. */
const cuts = fc
  .array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0, 1, 27)), {
    maxLength: 12,
  })
  .map(
    list => (size: number) =>
      list.flatMap(([share, more]) => [Math.floor(share * size), Math.floor(share * size) + more]),
  )

/** Starts that some shards take for theirs although they are others': in a block, or where none is. */
const misleading = fc.array(fc.tuple(fc.nat(11), fc.nat(70_000)), { maxLength: 3 })

const misledBy = (wrong: readonly (readonly [number, number])[]) => (task: ShardTask, shard: number) => {
  const by = wrong.find(([which]) => which === shard && shard > 0)
  return by ? { ...task, start: virtualOffset(task.range.start + (by[1] % 5), by[1] % 65_536) } : task
}

/** What becomes of a file: its indexes, or the error. */
function outcome(work: () => unknown): unknown {
  let indexed: unknown
  return errorOf(() => (indexed = work()))?.toReport() ?? indexed
}

/** Blocks of all sizes, empty ones among them; small ones, so that a small file has many. */
const blocks = fc.record({ seed: fc.nat(1000), largest: fc.constantFrom(40, 700, 5000, 65_280) })

function inBlocks(plain: Uint8Array, { seed, largest }: { seed: number; largest: number }): Uint8Array {
  const random = seededRandom(seed)
  const sizeOf = () => (random.chance(0.1) ? 0 : random.between(1, largest))
  return new Uint8Array(reblock(plain, { sizeOf, level: 1 }))
}

const bamFile = fc
  .record({ seed: fc.nat(1000), reads: fc.nat(150), references: fc.integer({ min: 1, max: 40 }), blocks })
  .map(({ seed, reads, references, blocks }) => {
    const random = seededRandom(seed)
    const names = Array.from({ length: references }, (_, i) => [`c${i}`, 5_000_000] as const)
    const records: Uint8Array[] = []
    let [refId, pos] = [0, -1]
    for (let i = 0; i < reads; i++) {
      if (random.chance(0.05)) [refId, pos] = [refId + 1, -1]
      // A record out of order now and then: the same error, at the same place.
      pos = random.chance(0.002) ? 0 : pos + random.below(random.chance(0.1) ? 200_000 : 20)
      const placed = refId < references
      const length = random.chance(0.05) ? random.between(1, 500_000) : random.between(1, 150)
      const bases = random.chance(0.03) ? random.below(3000) : random.below(30)
      const cigar = [(length << 4) | 3, (bases << 4) | 4]
      records.push(
        bamRecord(placed ? { refId, pos, cigar, bases, flag: random.pick([0, 16, 4]) } : { flag: 4 }),
      )
    }
    return inBlocks(concatBytes(bamHeader(names, 'x'.repeat(random.below(500))), ...records), blocks)
  })

const vcfFile = fc
  .record({
    seed: fc.nat(1000),
    records: fc.nat(60),
    samples: fc.nat(3),
    blocks,
    change: fc.constantFrom(0, 0, 1, 2),
  })
  .map(({ seed, records, samples, blocks, change }) => {
    const contigs = ['1', 'chr1', '11', 'x'].map((name, i) => ({ name, length: 10_000_000, header: i !== 2 }))
    let text = variantText({ seed, contigs, records, samples, symbolic: 0.1 })
    // Empty lines within or at the end; no newline at the end.
    if (change === 1) text = `${text}\n\n`
    if (change === 2) text = seed % 2 === 0 ? text.trimEnd() : text.replace(/\nchr1/, '\n\n\nchr1')
    return inBlocks(Buffer.from(text), blocks)
  })

const bcfFile = fc
  .record({ seed: fc.nat(1000), records: fc.nat(150), blocks })
  .map(({ seed, records, blocks }) => {
    const random = seededRandom(seed)
    const contigs = ['a', 'b', 'c']
      .map((name, i) => `##contig=<ID=${name},length=900000,IDX=${i * 2}>\n`)
      .join('')
    const text = `##fileformat=VCFv4.2\n${contigs}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n\0`
    const list = Array.from({ length: 3 }, (_, contig) => {
      let pos = 0
      return Array.from({ length: Math.ceil(records / 3) }, () => {
        pos += random.below(2000)
        return bcfRecord(contig * 2, pos, random.between(1, random.chance(0.1) ? 90_000 : 3), {
          samples: random.below(50),
        })
      })
    })
    return inBlocks(concatBytes(bcfHeader(text), ...list.flat()), blocks)
  })

describe('shards, merged, are what one pass gives', () => {
  test.each([
    ['BAM', bamFile, ['bai', 'csi'] as const],
    ['VCF', vcfFile, ['tbi', 'csi'] as const],
    ['BCF', bcfFile, ['csi'] as const],
  ])('%s: any file, any cuts, wrong guesses', (_format, files, kinds) => {
    let [guessed, redone, empty] = [0, 0, 0]
    const chunk = fc.constantFrom(997, 70_000)
    fc.assert(
      fc.property(
        files,
        cuts,
        misleading,
        fc.constantFrom(...kinds),
        chunk,
        (file, at, wrong, wanted, size) => {
          const whole = outcome(() => indexInChunks(createFileIndexer(wanted), file))
          const merged = outcome(() => {
            const sharded = indexInShards(file, rangesAt(file.length, at(file.length)), {
              wanted,
              misled: misledBy(wrong),
              through: throughBytes,
              chunks: [size],
            })
            guessed += sharded.guessed
            redone += sharded.redone
            empty += sharded.empty
            return sharded.file
          })
          expect(merged).toEqual(whole)
        },
      ),
      runs,
    )
    // All three ways were gone.
    expect(Math.min(guessed, redone, empty)).toBeGreaterThan(2)
  })

  const some = fixtures.filter(({ name }) => /cram|odd-blocks|long-reads|long-lines/.test(name))
  const files = [...some, ...refusedFixtures].map(({ name, path }) => [name, path] as const)
  test.each(files)('%s: any cuts, wrong guesses', (_name, path) => {
    const file = new Uint8Array(readFileSync(path))
    const whole = outcome(() => indexInChunks(createFileIndexer(), file))
    fc.assert(
      fc.property(cuts, misleading, (at, wrong) => {
        const options = { misled: misledBy(wrong), through: throughBytes }
        const ranges = rangesAt(file.length, at(file.length))
        expect(outcome(() => indexInShards(file, ranges, options).file)).toEqual(whole)
      }),
      { numRuns: 2, seed: 9 },
    )
  })

  test('a file with any byte changed, or cut off anywhere: the same error', () => {
    const names = [
      'bam/pairs-odd-blocks.bam',
      'vcf/sites.vcf.gz',
      'bcf/sites.bcf',
      'cram/pairs-slices-3.0.cram',
    ]
    const good = names.map(name => readFileSync(fixtures.find(each => each.name === name)!.path))
    const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        share,
        fc.integer({ min: 0, max: 255 }),
        cuts,
        (bytes, where, bits, at) => {
          const place = Math.floor(where * bytes.length)
          const file = bits === 0 ? Uint8Array.from(bytes.subarray(0, place)) : Uint8Array.from(bytes)
          if (bits > 0) file[place]! ^= bits
          const whole = outcome(() => indexInChunks(createFileIndexer(), file))
          expect(outcome(() => indexInShards(file, rangesAt(file.length, at(file.length))).file)).toEqual(
            whole,
          )
        },
      ),
      { numRuns: 60, seed: 5 },
    )
  })
})
