import { describe, expect, test } from '@jest/globals'
import { CramScanner } from '#shared/cram/CramScanner.ts'
import {
  compressionHeader,
  container,
  cramFile,
  encoding,
  itf8,
  slice,
  text,
  type Bytes,
  type CompressionOptions,
  type SliceOptions,
} from '#test/support/cramBuilder.ts'
import { errorOf } from '#test/support/indexing.ts'

/** Extents of the records of one slice, as `[reference, first, last]`. */
function extentsOf(compression: CompressionOptions, data: SliceOptions): number[][] {
  const found: number[][] = []
  const scanner = new CramScanner({
    header: () => undefined,
    slice: each => each.extents((...extent) => found.push(extent)),
  })
  scanner.push(
    cramFile(
      [['a', 100_000]],
      [container({ compression: compressionHeader(compression), slices: [slice(data)] })],
    ),
  )
  scanner.finish()
  return found
}

/** Reads without features on the first reference; other series take their place. */
const simple = {
  BF: encoding.constant(0),
  CF: encoding.constant(0),
  RI: encoding.constant(0),
  RL: encoding.constant(10),
  AP: encoding.external(1),
  FN: encoding.constant(0),
}
const ints = (...values: number[]): Bytes => values.flatMap(itf8)

/** Bits, written as a text of 0 and 1, as the bytes of a CORE block. */
const bits = (of: string): Bytes =>
  (of.replaceAll(' ', '').match(/.{1,8}/g) ?? []).map(byte => parseInt(byte.padEnd(8, '0'), 2))

describe('encodings', () => {
  const positions = (AP: Bytes, data: Partial<SliceOptions>, records = 3) =>
    extentsOf({ series: { ...simple, AP } }, { records, ...data }).map(([, first]) => first)

  test('EXTERNAL: ITF8 of 1 to 5 bytes', () => {
    const values = [1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1fffff, 0x200000, 0xfffffff, 0x10000000, 0x7fffffff]
    expect(positions(encoding.external(7), { externals: { 7: ints(...values) } }, values.length)).toEqual(
      values,
    )
  })

  test('BETA', () => {
    expect(positions(encoding.beta(-5, 4), { core: bits('0000 0011 1111') })).toEqual([5, 8, 20])
    expect(positions(encoding.beta(0, 32), { core: bits('0'.repeat(31) + '1' + '0'.repeat(32)) }, 1)).toEqual(
      [1],
    )
  })

  test('GAMMA', () => {
    expect(positions(encoding.gamma(0), { core: bits('1 010 00101') })).toEqual([1, 2, 5])
    expect(positions(encoding.gamma(-1), { core: bits('1 011 0001111') })).toEqual([2, 4, 16])
  })

  test('SUBEXP', () => {
    // k = 2: below 4 in two bits, then 4 to 7, 8 to 15.
    expect(positions(encoding.subexponential(-1, 2), { core: bits('011 1001 110101') })).toEqual([4, 6, 14])
  })

  test('HUFFMAN: canonical codes by length, then by symbol', () => {
    const code = encoding.huffman([9, 3, 30, 12], [3, 2, 3, 1])
    expect(positions(code, { core: bits('110 0 10 111') }, 4)).toEqual([9, 12, 3, 30])
  })

  test('HUFFMAN with more codes than their lengths allow is corrupt', () => {
    const code = encoding.huffman([9, 3, 30, 12], [2, 2, 3, 1])
    expect(errorOf(() => positions(code, { core: bits('0') }))?.code).toBe('CRAM_CORRUPT')
  })

  // htsjdk writes it for series and for lengths of tags that no record has.
  test('HUFFMAN of no symbol: fine for a series without values, corrupt where one is read', () => {
    const none = encoding.huffman([], [])
    const reads = { records: 1, externals: { 1: ints(7) } }
    expect(extentsOf({ series: { ...simple, DL: none, RS: none } }, reads)).toEqual([[0, 7, 16]])
    expect(errorOf(() => positions(none, { core: bits('0') }))?.code).toBe('CRAM_CORRUPT')
  })

  test('differences of positions begin at the start of the slice', () => {
    const found = extentsOf(
      { series: simple, positionDeltas: true },
      { records: 3, start: 100, externals: { 1: ints(0, 5, 7) } },
    )
    expect(found).toEqual([
      [0, 100, 109],
      [0, 105, 114],
      [0, 112, 121],
    ])
  })

  test('a deprecated one is named as not read', () => {
    expect(errorOf(() => positions(encoding.golomb(0, 4), { core: bits('0') }))?.code).toBe(
      'CRAM_UNSUPPORTED',
    )
  })

  test.each([
    ['past the end of the CORE block', encoding.beta(0, 9), { core: [1] }],
    ['past the end of a block', encoding.external(7), { externals: { 7: [0xf0, 1] } }],
    ['a block that is not there', encoding.external(8), { externals: { 7: [1] } }],
    ['endless GAMMA', encoding.gamma(0), { core: new Array<number>(40).fill(0) }],
    ['endless SUBEXP', encoding.subexponential(0, 1), { core: new Array<number>(40).fill(255) }],
    ['BETA of 33 bits', encoding.beta(0, 33), { core: [1] }],
    ['a mapped record without a position', encoding.external(7), { externals: { 7: [0] } }],
  ])('%s is corrupt', (_, AP, data) => {
    expect(errorOf(() => positions(AP, data, 1))?.code).toBe('CRAM_CORRUPT')
  })
})

describe('spans', () => {
  /** One read of 50 bases at 100, with features `[code, position from the last, …]`. */
  const span = (
    features: readonly (readonly [string, number])[],
    series: Record<string, Bytes>,
    more = {},
  ) => {
    const [found] = extentsOf(
      {
        series: {
          ...simple,
          RL: encoding.constant(50),
          AP: encoding.constant(100),
          FN: encoding.constant(features.length),
          FC: encoding.external(2),
          FP: encoding.external(3),
          ...series,
        },
      },
      {
        records: 1,
        externals: {
          2: features.flatMap(([code]) => text(code)),
          3: features.flatMap(([, place]) => itf8(place)),
          ...more,
        },
      },
    )
    return found![2]! - found![1]! + 1
  }
  const stopped = encoding.arrayToStop(0, 4)

  test.each<[string, readonly (readonly [string, number])[], Record<string, Bytes>, number]>([
    ['nothing', [], {}, 50],
    ['a substitution', [['X', 3]], { BS: encoding.constant(1) }, 50],
    ['a base with quality', [['B', 50]], { BA: encoding.constant(65), QS: encoding.constant(30) }, 50],
    ['a deletion', [['D', 10]], { DL: encoding.constant(7) }, 57],
    ['a skip', [['N', 10]], { RS: encoding.constant(1000) }, 1050],
    ['a soft clip', [['S', 1]], { SC: stopped }, 46],
    ['an insertion', [['I', 20]], { IN: stopped }, 46],
    ['one inserted base', [['i', 20]], { BA: encoding.constant(65) }, 49],
    ['bases', [['b', 20]], { BB: stopped }, 50],
    ['bases to the end', [['b', 47]], { BB: stopped }, 50],
    ['a hard clip', [['H', 1]], { HC: encoding.constant(30) }, 50],
    ['padding', [['P', 9]], { PD: encoding.constant(3) }, 50],
    ['qualities', [['Q', 1], ['q', 1]], { QS: encoding.constant(2), QQ: stopped }, 50], // prettier-ignore
    [
      'all clipped',
      [['S', 1]],
      { SC: encoding.arrayOfLength(encoding.constant(50), encoding.external(4)) },
      1,
    ],
  ])('%s', (_, features, series, wanted) => {
    expect(span(features, series, { 4: text('ACGT\0ACGT\0') })).toBe(wanted)
  })

  test('a deletion, an insertion and a clip add up', () => {
    const features = [['S', 1], ['D', 14], ['I', 10], ['X', 6], ['S', 16]] as const // prettier-ignore
    const series = { SC: stopped, IN: stopped, DL: encoding.constant(12), BS: encoding.constant(0) }
    expect(span(features, series, { 4: text('ACGT\0AC\0ACGT\0') })).toBe(50 - 4 - 2 - 4 + 12)
  })

  test('lengths of arrays are read without their values', () => {
    const series = { IN: encoding.arrayOfLength(encoding.external(5), encoding.external(6)) }
    // Block 6 is not there at all.
    expect(span([['I', 9]], series, { 5: [8] })).toBe(42)
  })

  test.each([
    ['an unknown feature', [['?', 1]]],
    ['a feature before the read', [['X', 0]]],
    ['a feature after the read', [['X', 52]]],
    ['a deletion without its series', [['D', 5]]],
  ] as const)('%s is corrupt', (_, features) => {
    expect(errorOf(() => span(features, { BS: encoding.constant(0) }))?.code).toBe('CRAM_CORRUPT')
  })
})

describe('what is read', () => {
  test('series that share a block are read in order, the others not at all', () => {
    // Name, mate, tags and mapping quality between the positions, all in block 1; qualities in a block that is no gzip.
    const found = extentsOf(
      {
        namesKept: false,
        tagLines: ['', 'XAiXBZ'],
        series: {
          ...simple,
          CF: encoding.constant(3),
          RN: encoding.arrayToStop(0, 1),
          MF: encoding.external(1),
          NS: encoding.external(9),
          NP: encoding.external(1),
          TS: encoding.external(1),
          TL: encoding.external(5),
          MQ: encoding.external(1),
          QS: encoding.external(1),
        },
        tags: {
          XAi: encoding.arrayOfLength(encoding.constant(4), encoding.external(1)),
          XBZ: encoding.arrayToStop(9, 8),
        },
      },
      {
        records: 2,
        externals: {
          1: [
            ...[5, 2, ...text('name'), 0, 77, 78, 1, 2, 3, 4, 60, ...new Array<number>(10).fill(200)],
            ...[9, 2, ...text('other'), 0, 77, 78, 60, ...new Array<number>(10).fill(200)],
          ],
          5: [1, 0],
        },
      },
    )
    expect(found).toEqual([
      [0, 5, 14],
      [0, 9, 18],
    ])
  })

  test('in CORE, what lies between the bits of the positions', () => {
    const found = extentsOf(
      {
        series: { ...simple, AP: encoding.beta(0, 4), MQ: encoding.beta(0, 4), RG: encoding.gamma(0) },
      },
      { records: 2, core: bits('0101 010 1111  1001 1 0000') },
    )
    expect(found.map(([, first]) => first)).toEqual([5, 9])
  })

  test('unmapped records lie on their position alone, unplaced ones on none', () => {
    const found = extentsOf(
      { series: { ...simple, BF: encoding.constant(4), RI: encoding.external(2), BA: encoding.external(1) } },
      {
        records: 2,
        externals: { 1: [7, ...text('ACGTACGTAC'), 0, ...text('ACGTACGTAC')], 2: [0, ...itf8(-1)] },
      },
    )
    expect(found).toEqual([
      [0, 7, 7],
      [-1, 0, 0],
    ])
  })
})

test('more records than a slice of its size may have are refused before they are read', () => {
  const data = { records: 1_000_000, externals: { 1: [1] } }
  expect(errorOf(() => extentsOf({ series: simple }, data))?.code).toBe('CRAM_TOO_LARGE')
})

test('features without end are refused', () => {
  const series = {
    ...simple,
    FN: encoding.constant(2 ** 30),
    FC: encoding.constant(81),
    FP: encoding.constant(1),
  }
  expect(errorOf(() => extentsOf({ series }, { records: 1, externals: { 1: [1] } }))?.code).toBe(
    'CRAM_TOO_LARGE',
  )
})
