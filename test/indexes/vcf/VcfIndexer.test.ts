import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { blockOf, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { queryChunks } from '#shared/indexes/binning/queryChunks.ts'
import { readCsi } from '#shared/indexes/csi/readCsi.ts'
import type { IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { readTbi } from '#shared/indexes/tbi/readTbi.ts'
import { VcfIndexer, type VcfIndexerOptions } from '#shared/indexes/VcfIndexer.ts'
import { variantText } from '#test/support/variantText.ts'

const head = variantText({
  seed: 1,
  contigs: [{ name: 'unused', length: 1000 }, { name: 'chr1', length: 248_956_422 }, { name: 'chr2' }],
  records: 0,
})
const line = (name: string, pos: number, info = '.') => `${name}\t${pos}\t.\tA\tC\t.\t.\t${info}\n`
const vcf = (body: string, blockSize = 200) => writeBgzf(Buffer.from(head + body), { blockSize })

function index(file: Uint8Array, chunk = 1 << 16, options: VcfIndexerOptions = {}): IndexedFile {
  const indexer = new VcfIndexer(options)
  for (let at = 0; at < file.length; at += chunk) indexer.push(file.subarray(at, at + chunk))
  return indexer.finish()
}

const errorOf = (file: Uint8Array): unknown => {
  try {
    index(file)
  } catch (error) {
    return error
  }
  return undefined
}

describe('what is found', () => {
  const file = vcf(line('chr2', 5) + line('other', 7) + line('chr1', 9, 'END=40'))

  test('the references are the header’s, then those that records alone name', () => {
    expect(index(file)).toMatchObject({
      format: 'VCF',
      formatVersion: '4.2',
      records: 3,
      unplacedRecords: 0,
      size: file.length,
      references: [
        { name: 'unused', length: 1000 },
        { name: 'chr1', length: 248_956_422 },
        { name: 'chr2' },
        { name: 'other' },
      ],
    })
  })

  test('tabix’s list has those with records, in the order of the file', () => {
    expect(readTbi(index(file).index.bytes).names).toEqual(['chr2', 'other', 'chr1'])
  })

  test('the block map goes by the references, and knows those without records', async () => {
    const map = await openBlockMap(memorySource(index(file).blockMap))
    expect(map.references.map(reference => reference.name)).toEqual(['unused', 'chr1', 'chr2', 'other'])
    expect(await map.units([{ refId: 0, start: 0, end: Infinity }])).toEqual([])
    for (const refId of [1, 2, 3])
      expect(await map.units([{ refId, start: 0, end: Infinity }])).toHaveLength(1)
    expect(await map.units([{ refId: 1, start: 40, end: 50 }])).toEqual([])
    expect(await map.units([{ refId: 1, start: 39, end: 50 }])).toHaveLength(1)
  })

  test('a header alone', () => {
    const found = index(vcf(''))
    expect(found).toMatchObject({ records: 0, index: { kind: 'tbi' } })
    expect(readTbi(found.index.bytes).names).toEqual([])
  })
})

describe('which index', () => {
  test.each([
    ['a TBI as a rule', line('chr1', 5), 'tbi'],
    ['a TBI for an end at the last place of one', line('chr2', 5, `END=${2 ** 29 - 1}`), 'tbi'],
    ['a CSI for an end behind it', line('chr2', 5, `END=${2 ** 29 + 1}`), 'csi'],
    ['a CSI for a position behind it', line('chr1', 5) + line('chr2', 2 ** 30), 'csi'],
  ])('%s', (_name, body, kind) => {
    expect(index(vcf(body)).index.kind).toBe(kind)
  })

  test('a CSI for a contig that is declared longer', () => {
    const long = head.replace('length=248956422', `length=${2 ** 29}`)
    expect(index(writeBgzf(Buffer.from(long + line('chr1', 5)))).index.kind).toBe('csi')
  })

  test('a CSI that was asked for, and no TBI of positions that it cannot hold', () => {
    expect(index(vcf(line('chr1', 5)), 100, { index: 'csi' }).index.kind).toBe('csi')
    expect(() => index(vcf(line('chr2', 2 ** 30)), 100, { index: 'tbi' })).toThrow(
      expect.objectContaining({ code: 'POSITION_TOO_LARGE' }),
    )
  })

  test.each([2 ** 29, 2 ** 32 + 5, 2 ** 35, 2 ** 40])('position %d is found again', position => {
    const found = index(vcf(line('chr1', 5) + line('chr2', position)))
    const { index: csi } = readCsi(found.index.bytes)
    const chunks = queryChunks(csi, 1, position - 1, position)
    expect(chunks).toHaveLength(1)
    expect(queryChunks(csi, 1, 0, 2 ** 28)).toEqual([])
  })
})

describe('what is refused', () => {
  test.each([
    ['positions that fall', line('chr1', 9) + line('chr1', 8), 'UNSORTED', 2],
    ['a contig in two places', line('chr1', 9) + line('chr2', 8) + line('chr1', 10), 'UNSORTED', 3],
    ['a contig unknown to the header in two', line('x', 9) + line('y', 8) + line('x', 9), 'UNSORTED', 3],
    ['a record without columns', line('chr1', 9) + 'chr1\t10\n', 'VCF_RECORD_INVALID', 2],
  ])('%s, with the place and a hint', (_name, body, code, record) => {
    const lines = head.split('\n').length - 1
    expect(errorOf(vcf(body))).toMatchObject({
      code,
      place: { record, line: lines + record, virtualOffset: expect.stringMatching(/^\d+:\d+$/) },
      hint: expect.stringContaining('bcftools'),
    })
  })

  test('plain gzip, with the commands that make BGZF of it', () => {
    expect(errorOf(gzipSync(head + line('chr1', 5)))).toMatchObject({
      code: 'NOT_BGZF',
      hint: expect.stringMatching(/bgzip.*bcftools view -Oz/),
    })
  })

  test('a file without its EOF marker, and one that is cut in a block', () => {
    const file = vcf(line('chr1', 5))
    expect(errorOf(file.subarray(0, -28))).toMatchObject({ code: 'BGZF_NO_EOF' })
    expect(errorOf(file.subarray(0, -40))).toMatchObject({ code: 'BGZF_TRUNCATED' })
  })
})

describe('whatever comes', () => {
  const contigs = ['a', 'b:1', 'c'].map(name => ({ name, length: 5_000_000 }))
  const text = variantText({ seed: 7, contigs, records: 60, samples: 2, symbolic: 0.2 })
  const whole = writeBgzf(Buffer.from(text), { blockSize: 3000 })
  const expected = index(whole)

  test('any chunks give the same indexes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 20 }), sizes => {
        const indexer = new VcfIndexer()
        const buffer = new Uint8Array(9000)
        for (let at = 0, i = 0; at < whole.length; i++) {
          const part = whole.subarray(at, at + sizes[i % sizes.length]!)
          buffer.fill(255)
          buffer.set(part)
          indexer.push(buffer.subarray(0, part.length))
          at += part.length
        }
        expect(indexer.finish()).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })

  test('any blocks give indexes that find the same records', async () => {
    const byLine = text.split('\n').filter(l => l !== '' && !l.startsWith('#'))
    for (const blockSize of [50, 777, 60_000]) {
      const file = writeBgzf(Buffer.from(text), { blockSize })
      const found = index(file)
      const map = await openBlockMap(memorySource(found.blockMap))
      const { index: tbi, names } = readTbi(found.index.bytes)
      let at = 0
      for (const each of byLine) {
        const [name, pos] = each.split('\t')
        // Where the line starts: which block, by counting plain bytes.
        at = text.indexOf(`${each}\n`, at)
        const block = Math.floor(at / blockSize)
        const covers = ({ start, end }: { start: VirtualOffset; end: VirtualOffset }) =>
          offsets(file)[block]! >= blockOf(start) && offsets(file)[block]! <= blockOf(end)
        const region = { start: Number(pos) - 1, end: Number(pos) }
        expect(queryChunks(tbi, names.indexOf(name!), region.start, region.end).some(covers)).toBe(true)
        const refId = found.references.findIndex(reference => reference.name === name)
        expect((await map.units([{ refId, ...region }])).some(covers)).toBe(true)
        at++
      }
    }
  })

  const known = new Map<Uint8Array, number[]>()
  /** Where each block of a file starts. */
  function offsets(file: Uint8Array): number[] {
    let found = known.get(file)
    if (!found) {
      found = []
      for (let at = 0; at < file.length; at += file[at + 16]! + file[at + 17]! * 256 + 1) found.push(at)
      known.set(file, found)
    }
    return found
  }

  test('cut anywhere: only our own errors', () => {
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), size => {
        expect(errorOf(whole.subarray(0, size))).toBeInstanceOf(HtsvaultError)
      }),
      { numRuns: 200 },
    )
  })

  test('bytes changed in the file: only our own errors', () => {
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const bytes = whole.slice()
        bytes[at]! ^= bits
        const error = errorOf(bytes)
        if (error !== undefined) expect(error).toBeInstanceOf(HtsvaultError)
      }),
      { numRuns: 200 },
    )
  })

  test('bytes changed in the text: only our own errors', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: text.length - 1 }), fc.nat({ max: 255 })), { maxLength: 5 }),
        changes => {
          const plain = Buffer.from(text)
          for (const [at, byte] of changes) plain[at] = byte
          const error = errorOf(writeBgzf(plain, { level: 1 }))
          if (error !== undefined) expect(error).toBeInstanceOf(HtsvaultError)
        },
      ),
      { numRuns: 200 },
    )
  })
})
