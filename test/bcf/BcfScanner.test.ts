import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BcfScanner } from '#shared/bcf/BcfScanner.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { bcfHeader, bcfRecord, joined, uint32 } from '#test/support/bcfBytes.ts'

const text = [
  '##fileformat=VCFv4.2',
  '##contig=<ID=a,length=500,IDX=0>',
  '##contig=<ID=b,IDX=2>',
  '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO',
  '\0',
].join('\n')

const ascii = (s: string) => new TextEncoder().encode(s)
const header = bcfHeader(text)
const record = bcfRecord

/** Scans `bytes` cut into blocks at `cuts`: each block is 100 bytes in the file, whatever it holds. */
function scan(bytes: Uint8Array, cuts: readonly number[] = []) {
  const found = { records: [] as string[], contigs: [] as string[], headerEnd: -1, end: -1, names: '' }
  const scanner = new BcfScanner({
    header(read, _bytes, end) {
      found.names = read.contigs.map(c => `${c.id}=${c.name}:${c.length ?? '?'}`).join(' ')
      found.headerEnd = end
    },
    contig: id => found.contigs.push(`${id}`) - 1,
    record(reference, begin, end, start) {
      found.records.push(`${found.contigs[reference]!}:${begin}-${end}@${start}`)
    },
  })
  const borders = [0, ...cuts, bytes.length]
  for (let i = 1; i < borders.length; i++)
    scanner.block(bytes.subarray(borders[i - 1], borders[i]), (i - 1) * 100, 100)
  scanner.finish()
  found.end = scanner.end
  return found
}

const errorOf = (bytes: Uint8Array): unknown => {
  try {
    scan(bytes)
  } catch (error) {
    return error
  }
  return undefined
}

describe('the header', () => {
  test('numbers contigs by IDX, and those without in order', () => {
    expect(scan(header).names).toBe('0=a:500 2=b:?')
    const plain = text.replace(',IDX=0', '').replace(',IDX=2', '')
    const bytes = bcfHeader(plain, 1)
    expect(scan(bytes).names).toBe('0=a:500 1=b:?')
  })

  test('ends where the block after it starts, if it fills its block', () => {
    expect(scan(header).headerEnd).toBe(100 * 65536)
    expect(scan(joined(header, record(0, 1, 1)), [header.length]).headerEnd).toBe(100 * 65536)
    expect(scan(joined(header, record(0, 1, 1))).headerEnd).toBe(header.length)
  })

  test.each([
    ['another magic', joined(ascii('BAM\x01\x02'), header.subarray(5)), 'BCF_HEADER_INVALID'],
    ['BCF1', joined(ascii('BCF\x04'), header.subarray(4)), 'BCF_HEADER_INVALID'],
    ['a length over 64 MiB', joined(header.subarray(0, 5), uint32(0xffffffff)), 'BCF_HEADER_INVALID'],
    ['two contigs of one number', bcfHeader(text.replace('IDX=2', 'IDX=0')), 'BCF_HEADER_INVALID'],
    ['no #CHROM line', bcfHeader('##fileformat=VCFv4.2\n\0'), 'VCF_HEADER_INVALID'],
    ['an end within', header.subarray(0, 40), 'BCF_TRUNCATED'],
    ['nothing', new Uint8Array(0), 'BCF_TRUNCATED'],
  ])('%s is refused', (_name, bytes, code) => {
    expect(errorOf(bytes)).toMatchObject({ name: 'HtsvaultError', code })
  })
})

describe('records', () => {
  test.each([
    ['POS and rlen', record(0, 9, 4), '0:9-13'],
    ['a telomere', record(0, -1, 1), '0:0-1'],
    ['a telomere with more', record(0, -1, 3), '0:0-2'],
    ['a POS over 2^31', record(0, 2 ** 31 + 5, 1), `0:${2 ** 31 + 5}-${2 ** 31 + 6}`],
    ['rlen 0', record(0, 9, 0), '0:9-9'],
    ['a negative rlen: the length of REF', record(0, 9, -3, { ref: 7 }), '0:9-16'],
  ])('%s', (_name, bytes, extent) => {
    expect(scan(joined(header, bytes)).records[0]!.split('@')[0]).toBe(extent)
  })

  test('a long REF, its length in an integer of its own', () => {
    const shared = joined(Uint8Array.of(0x07, 0xf7, 0x12, 0x2c, 0x01), ascii('A'.repeat(300)))
    const bytes = joined(uint32(24 + shared.length, 0, 0, 9, -1, 0, 0x10000, 0), shared)
    expect(scan(joined(header, bytes)).records[0]).toMatch(/^0:9-309@/)
  })

  test.each([
    ['one shorter than its fixed fields', uint32(23, 0, 0, 0, 0, 0, 0, 0)],
    ['one longer than any', uint32(0xffffffff, 0xffffffff, 0, 0, 0, 0, 0, 0)],
    ['a negative rlen without a REF', uint32(24, 0, 0, 9, -1, 0, 0, 0)],
    [
      'a negative rlen with a REF that does not fit',
      joined(uint32(26, 0, 0, 9, -1, 0, 0, 0), Uint8Array.of(0x07, 0x57)),
    ],
    [
      'a negative rlen with a REF whose count does not fit',
      joined(uint32(26, 0, 0, 9, -1, 0, 0, 0), Uint8Array.of(0x07, 0xf7)),
    ],
  ])('%s is refused', (_name, bytes) => {
    expect(errorOf(joined(header, bytes))).toMatchObject({ code: 'BCF_RECORD_INVALID' })
  })

  test('an end within one is refused, with its number', () => {
    const bytes = joined(header, record(0, 1, 1), record(0, 2, 1))
    expect(errorOf(bytes.subarray(0, -1))).toMatchObject({ code: 'BCF_TRUNCATED', place: { record: 2 } })
    expect(errorOf(bytes.subarray(0, header.length + 20))).toMatchObject({
      code: 'BCF_TRUNCATED',
      place: { record: 1 },
    })
  })
})

describe('blocks', () => {
  const bodies = fc.array(
    fc
      .record({
        chrom: fc.constantFrom(0, 2),
        pos: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
        rlen: fc.integer({ min: -1, max: 1000 }),
        samples: fc.constantFrom(0, 3, 300, 9000),
      })
      .map(r => ({ ...r, bytes: record(r.chrom, r.pos, r.rlen, { ref: 5, samples: r.samples }) })),
    { maxLength: 12 },
  )

  test('any cutting gives the same records, each at its own offset', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(), { maxLength: 10 }), (records, at) => {
        const bytes = joined(header, ...records.map(r => r.bytes))
        const cuts = [...new Set(at.map(cut => cut % bytes.length))].filter(Boolean).sort((a, b) => a - b)
        const borders = [0, ...cuts]
        let start = header.length
        const expected = records.map(r => {
          const block = borders.findLastIndex(border => border <= start)
          const offset = block * 100 * 65536 + start - borders[block]!
          start += r.bytes.length
          const end = r.pos + (r.rlen < 0 ? 5 : r.rlen)
          return `${r.chrom}:${Math.max(r.pos, 0)}-${Math.max(end, 1)}@${offset}`
        })
        const found = scan(bytes, cuts)
        expect(found.records).toEqual(expected)
        expect(found.end).toBe((cuts.length + 1) * 100 * 65536)
      }),
      { numRuns: 300 },
    )
  })

  test('whatever the bytes, only our own errors come out', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }))), (records, changes) => {
        const bytes = joined(header, ...records.map(r => r.bytes))
        for (const [where, what] of changes) bytes[where % bytes.length] = what
        const error = errorOf(bytes)
        if (error !== undefined) expect(error).toBeInstanceOf(HtsvaultError)
      }),
      { numRuns: 500 },
    )
  })
})
