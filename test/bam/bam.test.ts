import { describe, expect, test } from '@jest/globals'
import { BamHeaderReader } from '#shared/bam/BamHeaderReader.ts'
import { checkRecord, recordEnd } from '#shared/bam/bamRecord.ts'
import { type BamRecord, bamHeader, bamRecord } from '#test/support/bamBuilder.ts'
import { concatBytes } from '#test/support/concatBytes.ts'
import { errorOf } from '#test/support/indexing.ts'

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const M = (n: number) => n << 4
const [I, D, N, S] = [1, 2, 3, 4].map(code => (n: number) => (n << 4) | code) as [
  typeof M,
  typeof M,
  typeof M,
  typeof M,
]

describe('BamHeaderReader', () => {
  const bytes = concatBytes(
    Uint8Array.of(9, 9),
    bamHeader(
      [
        ['chr1', 248_956_422],
        ['HLA:A*01:01', 5],
      ],
      '@HD\tVN:1.6\n\0\0',
    ),
    Uint8Array.of(7),
  )

  test('reads text and references, whole and byte by byte', () => {
    const header = {
      text: '@HD\tVN:1.6\n',
      references: [
        { name: 'chr1', length: 248_956_422 },
        { name: 'HLA:A*01:01', length: 5 },
      ],
      size: bytes.length - 3,
    }
    expect(new BamHeaderReader().read(bytes, 2, bytes.length)).toEqual(header)
    const reader = new BamHeaderReader()
    for (let end = 2; end < bytes.length - 1; end++) expect(reader.read(bytes, 2, end)).toBeUndefined()
    expect(reader.read(bytes, 2, bytes.length - 1)).toEqual(header)
  })

  test('what is wrong is told by code', () => {
    const codeOf = (header: Uint8Array) =>
      errorOf(() => new BamHeaderReader().read(header, 0, header.length))?.code
    const changed = (at: number, value: number) => {
      const header = bamHeader([['a', 1]])
      viewOf(header).setInt32(at, value, true)
      return header
    }
    expect(codeOf(Uint8Array.from(Buffer.from('##fileformat')))).toBe('NOT_BAM')
    expect(codeOf(changed(4, -1))).toBe('HEADER_TOO_LARGE')
    expect(codeOf(changed(8, -1))).toBe('BAM_HEADER_INVALID')
    expect(codeOf(changed(8, 2_000_000_000))).toBe('HEADER_TOO_LARGE')
    expect(codeOf(changed(8, 5_000_000))).toBe('HEADER_TOO_LARGE')
    expect(codeOf(changed(12, 0))).toBe('BAM_HEADER_INVALID')
    expect(codeOf(changed(12, 2_000_000_000))).toBe('HEADER_TOO_LARGE')
    expect(
      codeOf(
        bamHeader([
          ['a', 1],
          ['b', 1],
          ['a', 1],
        ]),
      ),
    ).toBe('BAM_HEADER_INVALID')
    expect(
      codeOf(
        bamHeader([
          ['a b', 1],
          ['=', 1],
          ['a,b', 1],
        ]),
      ),
    ).toBeUndefined()
    expect(codeOf(bamHeader([['*', 1]]))).toBe('BAM_HEADER_INVALID')
    expect(codeOf(bamHeader([['', 1]]))).toBe('BAM_HEADER_INVALID')
    expect(codeOf(bamHeader([['a\tb', 1]]))).toBe('BAM_HEADER_INVALID')
  })
})

describe('recordEnd', () => {
  const endOf = (record: BamRecord) => {
    const bytes = bamRecord({ refId: 0, pos: 100, ...record })
    checkRecord(viewOf(bytes), 0, bytes.length, 1)
    return recordEnd(viewOf(bytes), 0, bytes.length)
  }
  const cigarTag = (subtype: string, ...cigar: number[]) =>
    concatBytes(
      Uint8Array.from(Buffer.from(`CGB${subtype}`)),
      new Uint8Array(Uint32Array.of(cigar.length, ...cigar).buffer),
    )

  test('follows what the CIGAR covers of the reference', () => {
    expect(endOf({ cigar: [S(5), M(10), I(3), D(4), N(1000), M(2), S(1)], bases: 21 })).toBe(
      100 + 10 + 4 + 1000 + 2,
    )
    expect(endOf({ cigar: [M(10)] })).toBe(110)
    expect(endOf({ cigar: [] })).toBe(101)
    expect(endOf({ cigar: [S(7)], bases: 7 })).toBe(101)
    expect(endOf({ cigar: [M(10)], bases: 10, flag: 4 })).toBe(101)
  })

  test('a CIGAR in the CG tag counts where the other one is its placeholder', () => {
    const tags = concatBytes(
      Uint8Array.from(Buffer.from('XZZCG\0XBBc')),
      Uint8Array.of(2, 0, 0, 0, 1, 2),
      cigarTag('I', M(4), D(50), M(6)),
    )
    const placeholder = [S(10), N(60)]
    expect(endOf({ cigar: placeholder, bases: 10, tags })).toBe(160)
    expect(endOf({ cigar: placeholder, bases: 10, tags: cigarTag('I', M(4), D(7), M(6)) })).toBe(117)
    expect(endOf({ cigar: placeholder, bases: 10, tags: cigarTag('I', M(10)) })).toBe(160) // fewer than what is here
    expect(endOf({ cigar: placeholder, bases: 10, tags: cigarTag('f', M(4), D(7), M(6)) })).toBe(160)
    expect(endOf({ cigar: [M(10)], bases: 10, tags })).toBe(110)
  })

  test('lengths that do not fit the record are refused', () => {
    const codeOf = (record: BamRecord) => errorOf(() => endOf(record))?.code
    const placeholder = { cigar: [S(10), N(60)], bases: 10 }
    expect(codeOf({ cigar: [M(9)], bases: 10 })).toBe('BAM_RECORD_INVALID')
    expect(codeOf({ refId: 1 })).toBe('BAM_RECORD_INVALID')
    expect(codeOf({ refId: -2 })).toBe('BAM_RECORD_INVALID')
    expect(codeOf({ nextRefId: 1 })).toBe('BAM_RECORD_INVALID')
    expect(codeOf({ pos: -2 })).toBe('BAM_RECORD_INVALID')
    expect(codeOf({ ...placeholder, tags: cigarTag('I', 1, 2, 3).subarray(0, 12) })).toBe(
      'BAM_RECORD_INVALID',
    )
    expect(codeOf({ ...placeholder, tags: Uint8Array.from(Buffer.from('XZZabc')) })).toBe(
      'BAM_RECORD_INVALID',
    )
    expect(codeOf({ ...placeholder, tags: Uint8Array.from(Buffer.from('XX?abc')) })).toBe(
      'BAM_RECORD_INVALID',
    )
    for (const at of [12, 16, 20]) {
      const bytes = bamRecord({ refId: 0, pos: 1, cigar: [M(4)], bases: 4 })
      bytes[at] = at === 12 ? 0 : 200
      expect(errorOf(() => checkRecord(viewOf(bytes), 0, bytes.length, 1))?.code).toBe('BAM_RECORD_INVALID')
    }
  })
})
