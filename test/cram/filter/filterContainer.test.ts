import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { memorySource } from '#shared/bytes/ByteSource.ts'
import { chooseColumns, type ColumnLists } from '#shared/columns/RecordColumns.ts'
import { inflateBlock } from '#shared/cram/codecs/inflateBlock.ts'
import { readCompressionMaps } from '#shared/cram/filter/CompressionMaps.ts'
import { idOf, readContainer } from '#shared/cram/filter/Container.ts'
import { filterContainer } from '#shared/cram/filter/filterContainer.ts'
import { filterCram } from '#shared/cram/filter/filterCram.ts'
import { chosen, columnRequests, nameOf } from '#test/support/columnRequests.ts'
import {
  compressionHeader,
  container,
  encoding,
  eofContainer,
  slice,
  type Bytes,
} from '#test/support/cramBuilder.ts'
import { filterCramFile } from '#test/support/filterCramFile.ts'
import { seededRandom } from '#test/support/random.ts'
import { fixturesOf } from '#test/fixtures/index.ts'

const definitions = { 2: { major: 2, minor: 1 }, 3: { major: 3, minor: 0 } } as const

interface Options {
  readonly version?: 2 | 3
  readonly series?: Readonly<Record<string, Bytes>>
  readonly tags?: Readonly<Record<string, Bytes>>
  readonly tagLines?: readonly string[]
  readonly externals?: Readonly<Record<number, Bytes>>
  readonly refId?: number
}

const hundred = (value: number) => new Array<number>(100).fill(value)

/** Two records of 50 bases in each of two slices; every series has a block of its own unless told. */
function built({ version = 3, series = {}, tags = {}, tagLines = [''], externals = {}, refId = 0 }: Options) {
  const compression = compressionHeader({
    series: {
      CF: encoding.external(2),
      RN: encoding.arrayToStop(9, 3),
      MQ: encoding.external(4),
      QS: encoding.external(5),
      BS: encoding.external(6),
      BA: encoding.external(7),
      TL: encoding.external(8),
      RG: encoding.constant(0),
      BF: encoding.external(1),
      ...series,
    },
    tags,
    tagLines,
  })
  const blocks = {
    1: [0, 0],
    2: [1, 3],
    3: hundred(65),
    4: [40, 60],
    5: hundred(30),
    6: [1, 2],
    7: hundred(65),
    8: [0, 0],
    ...externals,
  }
  const slices = [1, 2].map(() => slice({ refId, start: 1, span: 9, records: 2, externals: blocks }, version))
  const count = 1 + 2 * (Object.keys(blocks).length + 2)
  return Uint8Array.from(
    container({ refId, start: 1, span: 9, records: 4, compression, slices, blocks: count }, version),
  )
}

function filtered(options: Options, lists: ColumnLists) {
  const bytes = built(options)
  const definition = definitions[options.version ?? 3]
  const out = filterContainer(bytes, definition, chooseColumns(lists)!)
  const { compression, slices, header } = readContainer(out, definition)
  const { blocks, headerBytes } = slices[1]!
  const sums = (options.version ?? 3) >= 3 ? 4 : 0
  const raw = new Map(
    blocks.map(block => [
      idOf(block),
      [
        ...inflateBlock(
          block.header,
          block.bytes.subarray(block.header.headerBytes, block.bytes.length - sums),
        ),
      ],
    ]),
  )
  return { bytes, out, header, maps: readCompressionMaps(compression), raw, headerBytes }
}

const only = { fields: [], tags: [] }

describe.each([2, 3] as const)('of version %i', version => {
  test('names go: a block of asterisks, as many as records', () => {
    const { raw, maps, bytes, out } = filtered({ version }, { fields: ['QUAL'] })
    expect(raw.has(3)).toBe(false)
    const encodingOfNames = maps.series.get('RN')!.encoding
    expect(encodingOfNames).toMatchObject({ kind: 'arrayOfLength' })
    expect([...raw.values()]).toContainEqual([42, 42])
    expect(maps.preservation.get('RN')).toEqual(Uint8Array.of(1))
    expect(out.length).toBeLessThan(bytes.length)
    expect(raw.get(5)).toEqual(hundred(30))
  })

  test('mapping qualities go', () => {
    const { raw, maps } = filtered({ version }, { fields: ['QNAME', 'SEQ', 'QUAL'] })
    expect(raw.has(4)).toBe(false)
    expect(maps.series.get('MQ')!.encoding).toEqual({ kind: 'huffman', symbols: [255], lengths: [0] })
  })

  test('qualities are as many bytes of 0xff', () => {
    const { raw } = filtered({ version }, { fields: ['QNAME', 'MAPQ', 'SEQ'] })
    expect(raw.get(5)).toEqual(hundred(255))
    expect(raw.get(7)).toEqual(hundred(65))
  })
})

test('bases are N, and every record says that it has none', () => {
  const { raw, maps, headerBytes } = filtered({}, only)
  expect(raw.get(6)).toEqual([0, 0])
  expect(raw.get(7)).toEqual(hundred(78))
  expect(raw.get(2)).toEqual([9, 11])
  expect(maps.preservation.get('RR')).toEqual(Uint8Array.of(0))
  expect(headerBytes.subarray(-16)).toEqual(new Uint8Array(16))
})

test('bases stay in version 2, which has no flag for none', () => {
  const { raw } = filtered({ version: 2 }, only)
  expect(raw.get(7)).toEqual(hundred(65))
  expect(raw.get(2)).toEqual([1, 3])
})

test('bases stay where a reader needs them to make MD and NM', () => {
  const kept = (options: Options, lists: ColumnLists) =>
    filtered(options, { fields: ['QNAME'], ...lists }).raw.get(7)
  expect(kept({}, {})).toEqual(hundred(65))
  expect(kept({}, { tags: ['NM'] })).toEqual(hundred(65))
  expect(kept({}, { notags: ['NM', 'MD'] })).toEqual(hundred(78))
  const stored = { tags: { NMc: encoding.constant(1), MDZ: encoding.constant(1) }, tagLines: ['NMcMDZ'] }
  expect(kept(stored, {})).toEqual(hundred(78))
  expect(kept({ ...stored, tagLines: ['NMcMDZ', 'MDZ'] }, {})).toEqual(hundred(65))
  expect(kept({ ...stored, tagLines: ['NM*MDZ'] }, {})).toEqual(hundred(65))
  expect(kept({ refId: -1 }, {})).toEqual(hundred(78))
})

test('qualities stay where a record says that it has none of its own', () => {
  for (const options of [
    { externals: { 2: [1, 2] } },
    { series: { CF: encoding.constant(2) } },
    { series: { CF: encoding.beta(0, 2) } },
    { series: { QQ: encoding.arrayToStop(0, 9) }, externals: { 9: [1, 0] } },
  ])
    expect(filtered(options, { fields: ['SEQ', 'MAPQ'] }).raw.get(5)).toEqual(hundred(30))
  expect(filtered({ series: { CF: encoding.constant(3) } }, { fields: ['SEQ'] }).raw.get(5)).toEqual(
    hundred(255),
  )
})

test('the flags of CORE are changed in their encoding', () => {
  const flagsOf = (CF: Bytes) => filtered({ series: { CF } }, only).maps.series.get('CF')!.encoding
  expect(flagsOf(encoding.constant(3))).toEqual({ kind: 'huffman', symbols: [11], lengths: [0] })
  expect(flagsOf(encoding.huffman([1, 3], [1, 1]))).toMatchObject({ symbols: [9, 11] })
  expect(flagsOf(encoding.beta(0, 3))).toEqual({ kind: 'beta', offset: -8, bits: 3 })
  // Not where that would change the order of the codes, or a flag that is there already.
  expect(flagsOf(encoding.huffman([9, 3], [1, 1]))).toMatchObject({ symbols: [9, 3] })
  expect(flagsOf(encoding.beta(0, 4))).toMatchObject({ offset: 0 })
  expect(flagsOf(encoding.gamma(1))).toEqual({ kind: 'gamma', offset: 1 })
})

describe('what is shared stays', () => {
  test('a block that a series in need reads', () => {
    const { raw, maps } = filtered({ series: { BF: encoding.external(4), BS: encoding.external(2) } }, only)
    expect(raw.get(4)).toEqual([40, 60])
    expect(maps.series.get('MQ')!.encoding).toEqual({ kind: 'external', contentId: 4 })
    // Flags and substitutions in one block: neither can be changed.
    expect(raw.get(2)).toEqual([1, 3])
    expect(raw.get(7)).toEqual(hundred(65))
  })

  test('two series that go share a block, which goes', () => {
    const { raw } = filtered({ series: { RN: encoding.arrayToStop(9, 4) } }, only)
    expect(raw.has(4)).toBe(false)
  })

  test('all that is in the CORE block', () => {
    const { maps, raw } = filtered({ series: { MQ: encoding.beta(0, 6), QS: encoding.beta(0, 6) } }, only)
    expect(maps.series.get('MQ')!.encoding.kind).toBe('beta')
    expect(maps.series.get('QS')!.encoding.kind).toBe('beta')
    expect(raw.has('core')).toBe(true)
  })
})

describe('tags', () => {
  const options = {
    tags: {
      XAi: encoding.external(20),
      XBZ: encoding.arrayToStop(9, 21),
      XAc: encoding.external(22),
      XCi: encoding.beta(0, 9),
    },
    tagLines: ['XAiXBZ', 'XAc', '', 'XBZXCi'],
    externals: { 20: hundred(1), 21: hundred(2), 22: hundred(3) },
  }
  const dictionary = (lists: ColumnLists) => {
    const { maps, raw } = filtered(options, lists)
    const found = Buffer.from(maps.preservation.get('TD')!).toString('latin1')
    return { found, keys: maps.tags.size, raw, lines: maps.series.get('TL')!.encoding.kind }
  }

  test('go from the dictionary, the map and the blocks, in all their types', () => {
    const { found, keys, raw } = dictionary({ notags: ['XA'] })
    expect(found).toBe('XBZ\0\0\0XBZXCi\0')
    expect(keys).toBe(2)
    expect([20, 21, 22].filter(id => raw.has(id))).toEqual([21])
  })

  test('stay where CORE holds them, and the lines are counted as before', () => {
    expect(dictionary({ tags: [] })).toMatchObject({ found: '\0\0\0XCi\0', lines: 'external' })
  })

  test('all go with the line numbers and the read group', () => {
    const { maps, raw } = filtered(
      { ...options, tagLines: ['XAi', 'XBZ'], tags: { XAi: options.tags.XAi, XBZ: options.tags.XBZ } },
      { tags: [] },
    )
    expect(maps.preservation.get('TD')).toEqual(Uint8Array.of(0))
    expect(maps.series.get('TL')!.encoding).toMatchObject({ symbols: [0], lengths: [0] })
    expect(maps.series.get('RG')!.encoding).toMatchObject({ symbols: [-1], lengths: [0] })
    expect(raw.has(8)).toBe(false)
  })

  test('that a reader would make again otherwise stay with the bases', () => {
    const stored = {
      tags: { NMi: encoding.external(20), cFC: encoding.external(21), OQZ: encoding.external(22) },
      tagLines: ['NMicFCOQZ'],
      externals: { 20: hundred(1), 21: hundred(2), 22: hundred(3) },
    }
    const left = (lists: ColumnLists) => [20, 21, 22].filter(id => filtered(stored, lists).raw.has(id))
    expect(left({ tags: [] })).toEqual([20, 21])
    expect(left({ fields: [], tags: [] })).toEqual([])
  })
})

describe('what cannot be read goes by as it is', () => {
  const good = built({})
  const definition = definitions[3]
  const columns = chooseColumns(only)!

  test('a container of any damage, or it gives one that is whole', () => {
    const random = seededRandom(3)
    let changed = 0
    for (let draw = 0; draw < 3000; draw++) {
      const bytes = good.slice()
      for (let n = random.between(1, 3); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256)
      const out = filterContainer(bytes, definition, columns)
      if (out === bytes) continue
      changed++
      readContainer(out, definition)
    }
    // Damage to the data alone: the checksums of what is not read again travel with it.
    expect(changed).toBeGreaterThan(0)
    expect(changed).toBeLessThan(2500)
  })

  test('without checksums too', () => {
    const random = seededRandom(4)
    const old = built({ version: 2 })
    for (let draw = 0; draw < 3000; draw++) {
      const bytes = old.slice()
      for (let n = random.between(1, 3); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256)
      expect(() => filterContainer(bytes, definitions[2], columns)).not.toThrow()
    }
  })

  test('containers that are cut off, no containers, and the EOF container', async () => {
    const through = async (bytes: Uint8Array, chunk: number) => {
      const parts: Uint8Array[] = []
      for await (const part of filterCram(
        memorySource(bytes, chunk).stream(0, bytes.length),
        definition,
        columns,
      ))
        parts.push(part)
      return Buffer.concat(parts)
    }
    const expected = filterContainer(good, definition, columns)
    expect(expected.length).toBeLessThan(good.length)
    const eof = Uint8Array.from(eofContainer())
    for (const chunk of [1, 7, 100, 100_000])
      for (const [bytes, out] of [
        [eof, eof],
        [good.subarray(0, -1), good.subarray(0, -1)],
        [Buffer.concat([good, good.subarray(0, 9)]), Buffer.concat([expected, good.subarray(0, 9)])],
        [Buffer.concat([good, good, eof]), Buffer.concat([expected, expected, eof])],
        [new Uint8Array(5000).fill(7), new Uint8Array(5000).fill(7)],
        [new Uint8Array(0), new Uint8Array(0)],
      ] as const)
        expect(Buffer.compare(await through(bytes, chunk), out)).toBe(0)
  })
})

test('the fixtures give the same bytes in any chunks, and fewer', async () => {
  const columns = chosen(columnRequests[0]!)
  for (const { path, name } of fixturesOf('CRAM').filter(({ name }) => name.includes('pairs'))) {
    const file = readFileSync(path)
    const whole = await filterCramFile(file, columns)
    expect([name, Buffer.compare(await filterCramFile(file, columns, 1000), whole)]).toEqual([name, 0])
    expect(whole.length).toBeLessThan(file.length)
  }
})

test.each(columnRequests.map(request => [nameOf(request), request] as const))(
  'filtering twice does no more: %s',
  async (_, request) => {
    const columns = chosen(request)
    const path = fixturesOf('CRAM').find(({ name }) => name === 'cram/pairs-3.0.cram')!.path
    const once = await filterCramFile(readFileSync(path), columns)
    const twice = await filterCramFile(once, columns)
    expect(twice.length).toBeLessThanOrEqual(once.length)
    expect(twice.length).toBeGreaterThan(0.9 * once.length)
  },
)
