import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { BamIndexer } from '#shared/indexes/BamIndexer.ts'
import { fixtures, refusedFixtures } from '#test/fixtures/index.ts'
import { bamHeader, bamRecord } from '#test/support/bamBuilder.ts'
import { concatBytes } from '#test/support/concatBytes.ts'
import { errorOf, indexInChunks } from '#test/support/indexing.ts'

const bamFixtures = fixtures.filter(each => each.format === 'BAM')
const bytesOf = (name: string) =>
  new Uint8Array(readFileSync(fixtures.find(each => each.name === name)!.path))

/** The fixtures' codes that telling formats apart gives, before an indexer is chosen. */
const chosenElsewhere = ['UNKNOWN_FORMAT', 'PLAIN_SAM']

describe('BamIndexer', () => {
  test.each(bamFixtures)('$name gets the index that it should', ({ path, index }) => {
    const result = indexInChunks(new BamIndexer(), readFileSync(path))
    expect(result).toMatchObject({ format: 'BAM', formatVersion: '1', size: readFileSync(path).length })
    expect(result.index.kind).toBe(index)
  })

  test.each(['bam/pairs-odd-blocks.bam', 'bam/long-reads.bam'])('%s: any chunking gives the same', name => {
    const file = bytesOf(name).subarray()
    const whole = indexInChunks(new BamIndexer(), file, [file.length])
    const size = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 51, max: 200_000 }))
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 12 }), sizes => {
        expect(indexInChunks(new BamIndexer(), file, [...sizes, 3000])).toEqual(whole)
      }),
      { numRuns: 15 },
    )
  })

  test('the records of a file are the same ones however it is cut into blocks', () => {
    const [same, ...others] = ['bam/pairs.bam', 'bam/pairs-odd-blocks.bam', 'bam/pairs-empty-blocks.bam']
      .map(name => indexInChunks(new BamIndexer(), bytesOf(name)))
      .map(({ records, unplacedRecords, references }) => ({ records, unplacedRecords, references }))
    for (const other of others) expect(other).toEqual(same)
    expect(same!.records).toBeGreaterThan(100)
  })

  const refused = refusedFixtures.filter(
    each => each.name.endsWith('.bam') && !chosenElsewhere.includes(each.code),
  )

  test.each(refused)('$name is refused: $shows', ({ path, code }) => {
    const file = readFileSync(path)
    for (const size of [1, 1000, 1 << 20]) {
      const error = errorOf(() => indexInChunks(new BamIndexer(), file, [size]))
      expect(error?.code).toBe(code)
    }
  })

  test('the place of an unsorted record is told, and what to do', () => {
    const plain = concatBytes(
      bamHeader([['c', 1000]]),
      ...[10, 20, 15].map(pos => bamRecord({ refId: 0, pos, cigar: [50 << 4], bases: 50 })),
    )
    const error = errorOf(() => indexInChunks(new BamIndexer(), writeBgzf(plain, { blockSize: 100 })))
    const size = bamRecord({ cigar: [0], bases: 50 }).length
    const at = bamHeader([['c', 1000]]).length + 2 * size
    const blocks = writeBgzf(plain.subarray(0, Math.floor(at / 100) * 100), {
      blockSize: 100,
      eof: false,
    }).length
    expect(error).toMatchObject({
      code: 'UNSORTED',
      place: { record: 3, virtualOffset: `${blocks}:${at % 100}` },
    })
    expect(error!.hint).toContain('samtools sort')
  })

  test('cut anywhere, or with any bit flipped behind the compression, only our own errors come', () => {
    const plain = concatBytes(
      bamHeader(
        [
          ['c', 1000],
          ['d', 2 ** 28],
        ],
        '@HD\tVN:1.6\n',
      ),
      bamRecord({
        refId: 0,
        pos: 10,
        cigar: [50 << 4],
        bases: 50,
        tags: Uint8Array.from(Buffer.from('NMC\x05XZZab\0')),
      }),
      bamRecord({
        refId: 1,
        pos: 99,
        cigar: [(40 << 4) | 4, (90 << 4) | 3],
        bases: 40,
        tags: Uint8Array.from(
          Buffer.from('XXBC\x01\0\0\0\x09CGBI\x03\0\0\0\x80\x02\0\0\x12\0\0\0\x22\0\0\0', 'latin1'),
        ),
      }),
      bamRecord({}),
    )
    for (let end = 0; end < plain.length; end++) {
      const error = errorOf(() => indexInChunks(new BamIndexer(), writeBgzf(plain.subarray(0, end))))
      if (error) expect(['BAM_TRUNCATED', 'EMPTY_FILE']).toContain(error.code)
    }
    let refusedOnes = 0
    for (let bit = 0; bit < plain.length * 8; bit++) {
      const flipped = plain.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      if (errorOf(() => indexInChunks(new BamIndexer(), writeBgzf(flipped, { level: 1 })))) refusedOnes++
    }
    expect(refusedOnes).toBeGreaterThan(500)
  })

  test('a file cut at any byte is refused', () => {
    const file = bytesOf('bam/edges.bam')
    for (let end = 0; end < file.length; end += 1 + (file.length >> 9))
      expect(errorOf(() => indexInChunks(new BamIndexer(), file.subarray(0, end)))).toBeDefined()
  })

  test('asked for, a CSI is made where a BAI would do', () => {
    const { index } = indexInChunks(new BamIndexer({ index: 'csi' }), bytesOf('bam/pairs.bam'))
    expect(index.kind).toBe('csi')
    expect(Buffer.from(readBgzf(index.bytes).subarray(0, 4)).toString('latin1')).toBe('CSI\x01')
  })
})
