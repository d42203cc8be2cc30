import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BamFile } from '@gmod/bam'
import { expect, jest, test } from '@jest/globals'
import { blockOf, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { cutBgzf } from '#shared/bgzf/cutBgzf.ts'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { BamIndexer } from '#shared/indexes/BamIndexer.ts'
import { readBai } from '#shared/indexes/bai/readBai.ts'
import { queryChunks, recordCounts } from '#shared/indexes/binning/queryChunks.ts'
import { readCsi } from '#shared/indexes/csi/readCsi.ts'
import { fixtures } from '#test/fixtures/index.ts'
import { indexInChunks } from '#test/support/indexing.ts'
import { describeWithData, output, requireTools, sharedData, temporaryFolder } from '#test/support/interop.ts'
import { seededRandom } from '#test/support/random.ts'
import { inflateBgzf, reblock } from '#test/support/reblock.ts'
import { type SamOptions, samText } from '#test/support/samGenerator.ts'

jest.setTimeout(120_000)

const folder = temporaryFolder()
let files = 0

/** The indexes that samtools makes of a BAM file, inflated. */
async function samtoolsIndexes(bam: Uint8Array, kinds: readonly ('bai' | 'csi')[]) {
  const path = join(folder, `${++files}.bam`)
  writeFileSync(path, bam)
  const indexes: Partial<Record<'bai' | 'csi', Buffer>> = {}
  for (const kind of kinds) {
    await output('samtools', ['index', ...(kind === 'csi' ? ['-c'] : []), path, `${path}.${kind}`])
    const bytes = readFileSync(`${path}.${kind}`)
    indexes[kind] = kind === 'csi' ? inflateBgzf(bytes) : bytes
  }
  return { path, indexes }
}

async function expectSame(bam: Uint8Array, kinds: readonly ('bai' | 'csi')[] = ['bai', 'csi']) {
  const { path, indexes } = await samtoolsIndexes(bam, kinds)
  for (const kind of kinds) {
    const { index } = indexInChunks(new BamIndexer({ index: kind }), bam, [70_001])
    const bytes = kind === 'csi' ? inflateBgzf(index.bytes) : Buffer.from(index.bytes)
    // Equality alone: a difference of megabytes is not to be printed.
    expect({ kind, same: bytes.equals(indexes[kind]!) }).toEqual({ kind, same: true })
  }
  return { path, indexes }
}

const toBam = (sam: string) => output('samtools', ['view', '-b', '-'], { input: sam })

const human: SamOptions['references'] = [
  ['chr1', 3_000_000],
  ['HLA:A*01:01', 400_000],
  ['chr2', 90_000_000],
  ['empty', 5000],
  ['chrM', 16_569],
]

requireTools('samtools')('BAM indexes are those of samtools', () => {
  test.each(Array.from({ length: 12 }, (_, seed) => seed))('generated reads %i', async seed => {
    const sam = samText({
      seed,
      references: human,
      reads: 40 * (seed + 1),
      unplaced: seed % 3 === 0 ? 0 : 30 * seed,
    })
    await expectSame(await toBam(sam))
  })

  test('many reads: bins that are merged and bins that are not', async () => {
    await expectSame(
      await toBam(samText({ seed: 99, references: human, reads: 6000, unplaced: 2000, bare: 0 })),
    )
  })

  test('references of 1 to 120 bins: each size of the hash table that orders them, and each load', async () => {
    const lines: string[] = []
    const header: string[] = []
    const random = seededRandom(120)
    for (let bins = 1; bins <= 120; bins++) {
      header.push(`@SQ\tSN:r${bins}\tLN:500000000`)
      const windows = new Set<number>()
      while (windows.size < bins) windows.add(random.below(bins % 2 === 0 ? 30_000 : 130))
      for (const window of [...windows].sort((a, b) => a - b))
        lines.push(
          `r\t0\tr${bins}\t${window * 16_384 + 1}\t9\t${random.chance(0.2) ? 20_000 : 50}M\t*\t0\t0\t*\t*`,
        )
    }
    await expectSame(await toBam(`${[...header, ...lines].join('\n')}\n`))
  })

  test('a thousand references', async () => {
    const references = Array.from({ length: 1000 }, (_, i) => [`scaffold_${i}`, 1000 + 997 * i] as const)
    await expectSame(await toBam(samText({ seed: 5, references, reads: 7, unplaced: 3 })))
  })

  test('reads of 200 kb, and CIGARs of more than 65,535 operations', async () => {
    const sam = samText({
      seed: 7,
      references: human,
      reads: 60,
      longest: 200_000,
      manyOperations: 70_000,
      bare: 0,
    })
    expect((await output('samtools', ['view', '-c', '-'], { input: sam })).toString()).not.toBe('0\n')
    await expectSame(await toBam(sam))
  })

  test('references over 2^29: CSI', async () => {
    const references = [
      ['long', 3_000_000_000 - 900_000_000],
      ['huge', 2 ** 31 - 1],
      ['short', 7000],
    ] as const
    const bam = await toBam(samText({ seed: 11, references, reads: 3000, unplaced: 5, bare: 0 }))
    await expectSame(bam, ['csi'])
    expect(indexInChunks(new BamIndexer(), bam).index.kind).toBe('csi')
  })

  test('short references: a CSI of few levels', async () => {
    for (const length of [100, 16_128, 16_129, 131_072, 1_048_000])
      await expectSame(
        await toBam(samText({ seed: length, references: [['c', length]], reads: 50, bare: 0 })),
      )
  })

  test('a header alone, with references and without', async () => {
    await expectSame(await toBam(samText({ seed: 1, references: human, reads: 0, bare: 1 })))
    await expectSame(await toBam('@HD\tVN:1.6\tSO:coordinate\n'))
    await expectSame(await toBam(samText({ seed: 1, references: human, reads: 0, bare: 1, unplaced: 9 })))
  })

  test('blocks of any size, records across them, empty blocks in the middle', async () => {
    const sam = samText({ seed: 3, references: human, reads: 300, unplaced: 40, longest: 150_000, bare: 0 })
    const plain = inflateBgzf(await toBam(sam))
    const random = seededRandom(17)
    for (const largest of [40, 700, 9000, 65_000]) {
      // samtools wants to see the format in the first block.
      const sizeOf = (block: number) =>
        block === 0 ? 99 : random.chance(0.1) ? 0 : random.between(1, largest)
      await expectSame(reblock(largest < 700 ? shortened(plain) : plain, { sizeOf, level: 1 }))
    }
  })

  test('blocks that end where records end, with and without empty ones behind', async () => {
    const plain = inflateBgzf(
      await toBam(samText({ seed: 21, references: human, reads: 300, unplaced: 10, bare: 0 })),
    )
    for (const withEmpty of [false, true]) {
      const ends = recordEnds(plain)
      let block = 0
      let at = 0
      const sizeOf = () => {
        if (withEmpty && block++ % 2 === 1) return 0
        const size = ends.shift()! - at
        at += size
        return size
      }
      await expectSame(reblock(plain, { sizeOf }))
    }
  })

  test.each(fixtures.filter(each => each.format === 'BAM'))('$name', async ({ path, index }) => {
    await expectSame(readFileSync(path), index === 'csi' ? ['csi'] : ['bai', 'csi'])
  })
})

describeWithData('reads/htsnexus_test_NA12878.bam')('BAM index of real reads', () => {
  test('htsnexus_test_NA12878.bam', async () => {
    await expectSame(readFileSync(sharedData('reads/htsnexus_test_NA12878.bam')!))
  })
})

requireTools('samtools')('queries of our BAM indexes', () => {
  test('find what samtools view finds, and little more; counts are those of idxstats', async () => {
    const bam = await toBam(
      samText({ seed: 31, references: human, reads: 3000, unplaced: 50, longest: 20_000, bare: 0 }),
    )
    const { path, indexes } = await expectSame(bam)
    const source = memorySource(bam)
    const bai = readBai(indexes.bai!)
    const { index: csi } = readCsi(indexes.csi!)
    const headerBlocks = await cut(source, {
      start: 0 as VirtualOffset,
      end: indexInChunks(new BamIndexer(), bam).headerEnd,
    })
    const eof = bam.subarray(bam.length - 28)
    const random = seededRandom(1)
    let compared = 0
    for (let i = 0; i < 30; i++) {
      const reference = random.below(human.length)
      const [name, length] = human[reference]!
      const beg = random.below(length)
      const end = Math.min(length, beg + 1 + random.below(random.chance(0.5) ? 2000 : 3_000_000))
      const region = `{${name}}:${beg + 1}-${end}`
      const expected = (await output('samtools', ['view', path, region])).toString()
      for (const index of [bai, csi]) {
        const parts = [headerBlocks]
        for (const range of queryChunks(index, reference, beg, end)) parts.push(await cut(source, range))
        const slice = Buffer.concat([...parts, eof])
        const expression = `pos <= ${end} && endpos >= ${beg + 1} && rname == "${name}"`
        const found = (await output('samtools', ['view', '-e', expression, '-'], { input: slice })).toString()
        expect(found === expected).toBe(true)
        compared += expected === '' ? 0 : 1
      }
    }
    expect(compared).toBeGreaterThan(20)
    const stats = (await output('samtools', ['idxstats', path])).toString().trim().split('\n')
    for (const [reference, line] of stats.slice(0, -1).entries()) {
      const [, , mapped, unmapped] = line.split('\t').map(Number)
      expect(recordCounts(bai, reference) ?? { mapped: 0, unmapped: 0 }).toEqual({ mapped, unmapped })
    }
    expect(bai.unplaced).toBe(50)
  })

  test('@gmod/bam reads them', async () => {
    const random = seededRandom(41)
    const positions = Array.from({ length: 4000 }, () => random.between(1, 2_000_000)).sort((a, b) => a - b)
    const reads = (name: string) =>
      positions.map(
        pos =>
          `r\t0\t${name}\t${pos}\t9\t60M${random.between(1, 9000)}N40M\t*\t0\t0\t${'ACGTA'.repeat(20)}\t*`,
      )
    const names = ['chr1', 'HLA:A*01:01'] as const
    const header = names.map(name => `@SQ\tSN:${name}\tLN:3000000`)
    const bam = await toBam(`${[...header, ...names.flatMap(reads)].join('\n')}\n`)
    const path = join(folder, 'gmod.bam')
    writeFileSync(path, bam)
    for (const kind of ['bai', 'csi'] as const) {
      writeFileSync(`${path}.${kind}`, indexInChunks(new BamIndexer({ index: kind }), bam).index.bytes)
      const reader = new BamFile({ bamPath: path, [`${kind}Path`]: `${path}.${kind}` })
      await reader.getHeader()
      for (const name of names)
        for (const [beg, end] of [
          [0, 3_000_000],
          [16_383, 16_384],
          [700_000, 900_000],
        ] as const) {
          const region = `{${name}}:${beg + 1}-${end}`
          const count = (
            await output('samtools', ['view', '-c', '-X', path, `${path}.${kind}`, region])
          ).toString()
          expect(Number(count)).toBeGreaterThan(0)
          expect(await reader.getRecordsForRange(name, beg, end)).toHaveLength(Number(count))
        }
    }
  })
})

async function cut(
  source: ReturnType<typeof memorySource>,
  range: { start: VirtualOffset; end: VirtualOffset },
) {
  const parts: Uint8Array[] = []
  for await (const part of (await cutBgzf(source, range)).stream()) parts.push(part)
  expect(blockOf(range.end)).toBeLessThanOrEqual(source.size)
  return Buffer.concat(parts)
}

/** Where the header, and each record, ends in an inflated BAM file. */
function recordEnds(plain: Buffer): number[] {
  let at = 8 + plain.readUInt32LE(4)
  const references = plain.readUInt32LE(at)
  at += 4
  for (let i = 0; i < references; i++) at += 8 + plain.readUInt32LE(at)
  const ends = [at]
  while (at < plain.length) ends.push((at += 4 + plain.readUInt32LE(at)))
  return ends
}

/** The first records of an inflated BAM file, some 100 kB. */
function shortened(plain: Buffer): Buffer {
  return plain.subarray(
    0,
    recordEnds(plain).findLast(end => end < 100_000),
  )
}
