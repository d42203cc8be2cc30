import { describe, expect, test } from '@jest/globals'
import { CramScanner, type ScannedSlice } from '#shared/cram/CramScanner.ts'
import { readSamHeader } from '#shared/cram/readSamHeader.ts'
import {
  block,
  compressionHeader,
  container,
  cramFile,
  encoding,
  eofContainer,
  fileDefinition,
  headerContainer,
  headerText,
  int32,
  itf8,
  slice,
  text,
  type Bytes,
} from '#test/support/cramBuilder.ts'
import { errorOf } from '#test/support/indexing.ts'

const references = [['a', 1000]] as const

function scan(file: Uint8Array, chunk = file.length) {
  const slices: ScannedSlice[] = []
  let prefix: Uint8Array | undefined
  let names: string[] = []
  const scanner = new CramScanner({
    header: (_, samHeader, bytes) => {
      prefix = bytes
      names = readSamHeader(samHeader).map(reference => reference.name)
    },
    slice: each => slices.push(each),
  })
  for (let at = 0; at < file.length; at += chunk) {
    const copy = file.slice(at, at + chunk)
    scanner.push(copy)
    copy.fill(0xee)
  }
  return { ...scanner.finish(), slices, prefix, names }
}

const compression = compressionHeader({ series: { AP: encoding.external(1) } })
const onOne = (start: number, version = 3): Bytes =>
  container(
    {
      refId: 0,
      start,
      span: 10,
      records: 1,
      compression,
      slices: [1, 2].map(n =>
        slice({ refId: 0, start: start + n, span: n, records: 1, externals: { 1: [1] } }, version),
      ),
    },
    version,
  )

describe.each([2, 3])('version %i', version => {
  const file = cramFile(references, [onOne(5, version), onOne(20, version)], version)

  test('containers, slices and blocks, in chunks of any size', () => {
    const whole = scan(file)
    expect(whole.names).toEqual(['a'])
    expect(whole.size).toBe(file.length)
    expect(whole.offset).toBe(file.length - (version === 3 ? 38 : 30))
    expect(whole.bytes).toEqual(Uint8Array.from(eofContainer(version)))
    expect(whole.prefix).toEqual(file.slice(0, whole.slices[0]!.containerOffset))
    expect(whole.slices.map(each => each.header.start)).toEqual([6, 7, 21, 22])
    const [first, second] = whole.slices
    expect(second!.landmark).toBe(first!.landmark + first!.size)
    for (const chunk of [1, 2, 3, 7, 64, 100]) {
      const cut = scan(file, chunk)
      expect(cut.slices.map(each => [each.containerOffset, each.landmark, each.size])).toEqual(
        whole.slices.map(each => [each.containerOffset, each.landmark, each.size]),
      )
      expect([cut.offset, cut.prefix]).toEqual([whole.offset, whole.prefix])
    }
  })

  test('cut anywhere, it is cut off, or without its EOF container', () => {
    const borders = new Set<number>()
    for (let size = 1; size < file.length; size++) {
      const error = errorOf(() => scan(file.subarray(0, size)))
      if (error?.code === 'CRAM_NO_EOF') borders.add(size)
      else expect([size, error?.code]).toEqual([size, 'CRAM_TRUNCATED'])
      expect(error?.hint).toBeDefined()
    }
    const { slices, offset } = scan(file)
    expect(borders).toEqual(new Set([...slices.map(each => each.containerOffset), offset]))
  })
})

test('every byte of a version 3 file is under a checksum, or makes another file', () => {
  const file = cramFile(references, [onOne(5)])
  const accepted: number[] = []
  for (let at = 0; at < file.length; at++) {
    const damaged = file.slice()
    damaged[at]! ^= 0x40
    if (errorOf(() => scan(damaged)) === undefined) accepted.push(at)
  }
  // The file's own id, which nothing checks: bytes 6 to 25.
  expect(accepted).toEqual(Array.from({ length: 20 }, (_, i) => i + 6))
})

describe('the header', () => {
  const rest = [...onOne(5, 2), ...eofContainer(2)]
  const whole = (header: Bytes) => Uint8Array.from([...fileDefinition(2, 1), ...header, ...rest])

  test('a container declared two bytes short, as some writers of 2.1 did, is read by its blocks', () => {
    const found = scan(whole(headerContainer(headerText(references), 2, 2)))
    expect(found.slices).toHaveLength(2)
  })

  test('blocks and padding after the first are no header', () => {
    const of = headerText(references)
    const body = [
      ...block(0, 0, [...int32(of.length), ...text(of)], 2),
      ...block(0, 0, new Array<number>(300).fill(0), 2),
      ...new Array<number>(1000).fill(0),
    ]
    const found = scan(whole(container({ refId: 0, body, blocks: 2 }, 2)))
    expect([found.names, found.slices.length]).toEqual([['a'], 2])
  })

  test.each([
    ['longer than its block', [...int32(500), ...text('@SQ')]],
    ['of negative length', int32(-1)],
    ['with a reference without a length', [...int32(9), ...text('@SQ\tSN:a\n')]],
    ['with a reference twice', [...int32(40), ...text('@SQ\tSN:a\tLN:5\n@SQ\tSN:a\tLN:5\n@CO\tabcdefgh')]],
  ])('%s is corrupt', (_, header) => {
    const body = block(0, 0, header, 2)
    expect(errorOf(() => scan(whole(container({ refId: 0, body }, 2))))?.code).toBe('CRAM_CORRUPT')
  })

  test('a reference name may hold colons, and lines may end in CR', () => {
    const of = '@SQ\tSN:HLA*01:02\tLN:9\tM5:x\r\n@CO\t@SQ\n@SQ\tLN:8\tSN:b'
    expect(readSamHeader(Uint8Array.from([...int32(of.length), ...text(of)]))).toEqual([
      { name: 'HLA*01:02', length: 9, md5: 'x' },
      { name: 'b', length: 8 },
    ])
  })
})

describe('the end', () => {
  test('EOF containers in the middle, as in joined files, are passed', () => {
    const file = cramFile(references, [onOne(5), eofContainer(), onOne(20), eofContainer()])
    const found = scan(file)
    expect([found.slices.length, found.offset]).toEqual([4, file.length - 38])
  })

  test.each([
    ['a byte', [0]],
    ['many bytes', new Array<number>(500).fill(7)],
  ])('%s behind it is trailing data', (_, more) => {
    const file = cramFile(references, [onOne(5)])
    const error = errorOf(() => scan(Uint8Array.from([...file, ...more])))
    expect([error?.code, error?.place?.offset]).toEqual(['TRAILING_DATA', file.length])
  })

  test('a file that is no CRAM, of another version, or empty', () => {
    expect(errorOf(() => scan(Uint8Array.from(text('BAM\u0001 and so on, and on, and on'))))?.code).toBe(
      'NOT_CRAM',
    )
    expect(errorOf(() => scan(Uint8Array.from(fileDefinition(2, 0))))?.code).toBe('CRAM_VERSION')
    expect(errorOf(() => scan(Uint8Array.from(fileDefinition(4, 0))))?.code).toBe('CRAM_VERSION')
    expect(errorOf(() => scan(new Uint8Array(0)))?.code).toBe('NOT_CRAM')
  })
})

describe('lengths that are not true', () => {
  const wrong = (bytes: Bytes) => errorOf(() => scan(cramFile(references, [bytes])))
  const good = slice({ refId: 0, start: 1, span: 1, records: 1, externals: { 1: [1] } })
  const body = (options: Parameters<typeof container>[0]) =>
    container({ refId: 0, start: 1, compression, slices: [good], ...options })

  test('a container shorter or longer than its blocks', () => {
    const size = block(1, 0, compression).length + good.length
    expect(wrong(body({ length: size - 1 }))?.code).toBe('CRAM_CORRUPT')
    expect(wrong(body({ length: size + 1 }))?.code).toBe('CRAM_CORRUPT')
    expect(wrong(body({ length: -5 }))?.code).toBe('CRAM_CORRUPT')
  })

  test('a container of 2 GiB costs no memory', () => {
    const before = process.memoryUsage().arrayBuffers
    expect(wrong(body({ length: 0x7fffffff }))?.code).toBe('CRAM_CORRUPT')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20)
  })

  test('a block of 2 GiB in a container of 2 GiB costs no memory', () => {
    const before = process.memoryUsage().arrayBuffers
    const header = [0, 1, 0, ...itf8(0x7fff0000), ...itf8(0x7fff0000)]
    const error = wrong(container({ refId: 0, body: header, length: 0x7fffffff }))
    expect(error?.code).toBe('CRAM_TOO_LARGE')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20)
  })

  test('more slices or blocks than are allowed', () => {
    const header = [...int32(100), ...[0, 1, 1, 1, 0, 0, 1].flatMap(itf8), ...itf8(0x7fffffff)]
    expect(wrong([...header, ...new Array<number>(100).fill(0)])?.code).toBe('CRAM_TOO_LARGE')
    const sliceHeader = [0, 1, 1, 1, 0].flatMap(itf8)
    const blocks = block(2, 0, [
      ...sliceHeader,
      ...itf8(0x7fffffff),
      ...itf8(0),
      ...new Array<number>(17).fill(0),
    ])
    expect(wrong(body({ slices: [blocks] }))?.code).toBe('CRAM_TOO_LARGE')
  })

  test('a slice that is not at its landmark', () => {
    expect(wrong(body({ slices: [good, []] }))?.code).toBe('CRAM_CORRUPT')
    const moved = container({ refId: 0, compression, slices: [[...block(4, 3, [1]), ...good]] })
    expect(wrong(moved)?.code).toBe('CRAM_CORRUPT')
  })

  test('counts in a compression header that its bytes cannot hold', () => {
    for (const bytes of [[...itf8(5), ...itf8(0x7fffffff), 0], itf8(0x7fffffff), [], [1, 0, 1, 0, 0]])
      expect(wrong(body({ compression: bytes }))?.code).toBe('CRAM_CORRUPT')
  })
})
