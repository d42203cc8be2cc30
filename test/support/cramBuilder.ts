import { crc32 } from 'node:zlib'

/** Writes CRAM by hand, for tests that no writer's files would cover. Numbers in, bytes out. */
export type Bytes = readonly number[]

export const itf8 = (value: number): Bytes => {
  const v = value >>> 0
  if (v < 0x80) return [v]
  if (v < 0x4000) return [0x80 | (v >>> 8), v & 0xff]
  if (v < 0x200000) return [0xc0 | (v >>> 16), (v >>> 8) & 0xff, v & 0xff]
  if (v < 0x10000000) return [0xe0 | (v >>> 24), (v >>> 16) & 0xff, (v >>> 8) & 0xff, v & 0xff]
  return [0xf0 | (v >>> 28), (v >>> 20) & 0xff, (v >>> 12) & 0xff, (v >>> 4) & 0xff, v & 0x0f]
}

export const int32 = (v: number): Bytes => [v & 0xff, (v >>> 8) & 0xff, (v >>> 16) & 0xff, (v >>> 24) & 0xff]

export const text = (of: string): Bytes => [...Buffer.from(of, 'latin1')]

const withCrc = (bytes: Bytes, version: number): Bytes =>
  version >= 3 ? [...bytes, ...int32(crc32(Uint8Array.from(bytes)))] : bytes

export function block(kind: number, contentId: number, bytes: Bytes, version = 3): Bytes {
  const size = itf8(bytes.length)
  return withCrc([0, kind, ...itf8(contentId), ...size, ...size, ...bytes], version)
}

export const encoding = {
  external: (id: number): Bytes => sized(1, itf8(id)),
  huffman: (symbols: readonly number[], lengths: readonly number[]): Bytes =>
    sized(3, [...list(symbols), ...list(lengths)]),
  constant: (value: number): Bytes => encoding.huffman([value], [0]),
  arrayOfLength: (length: Bytes, values: Bytes): Bytes => sized(4, [...length, ...values]),
  arrayToStop: (stop: number, id: number): Bytes => sized(5, [stop, ...itf8(id)]),
  beta: (offset: number, bits: number): Bytes => sized(6, [...itf8(offset), ...itf8(bits)]),
  subexponential: (offset: number, k: number): Bytes => sized(7, [...itf8(offset), ...itf8(k)]),
  gamma: (offset: number): Bytes => sized(9, itf8(offset)),
  golomb: (offset: number, m: number): Bytes => sized(2, [...itf8(offset), ...itf8(m)]),
}
const sized = (id: number, parameters: Bytes): Bytes => [
  ...itf8(id),
  ...itf8(parameters.length),
  ...parameters,
]
const list = (values: readonly number[]): Bytes => [...itf8(values.length), ...values.flatMap(itf8)]
const map = (count: number, entries: Bytes): Bytes => {
  const body = [...itf8(count), ...entries]
  return [...itf8(body.length), ...body]
}

export interface CompressionOptions {
  readonly series: Readonly<Record<string, Bytes>>
  readonly tags?: Readonly<Record<string, Bytes>>
  /** Tag lines, the tags of a line joined: `XAiXBZ`. */
  readonly tagLines?: readonly string[]
  readonly namesKept?: boolean
  readonly positionDeltas?: boolean
}

export function compressionHeader(options: CompressionOptions): Bytes {
  const { series, tags = {}, tagLines = [''], namesKept = true, positionDeltas = false } = options
  const dictionary = tagLines.flatMap(line => [...text(line), 0])
  const preservation = [
    ...[...text('RN'), Number(namesKept)],
    ...[...text('AP'), Number(positionDeltas)],
    ...[...text('TD'), ...itf8(dictionary.length), ...dictionary],
  ]
  const tagKey = (tag: string) => itf8(Buffer.from(tag, 'latin1').readUIntBE(0, 3))
  return [
    ...map(3, preservation),
    ...map(
      Object.keys(series).length,
      Object.entries(series).flatMap(([key, value]) => [...text(key), ...value]),
    ),
    ...map(
      Object.keys(tags).length,
      Object.entries(tags).flatMap(([tag, value]) => [...tagKey(tag), ...value]),
    ),
  ]
}

export interface SliceOptions {
  readonly refId?: number
  readonly start?: number
  readonly span?: number
  readonly records: number
  readonly core?: Bytes
  readonly externals?: Readonly<Record<number, Bytes>>
}

export function slice(options: SliceOptions, version = 3): Bytes {
  const { refId = -2, start = 0, span = 0, records, core = [], externals = {} } = options
  const blocks = Object.entries(externals)
  const header = [
    ...[refId, start, span, records, 0, blocks.length + 1].flatMap(itf8),
    ...list(blocks.map(([id]) => Number(id))),
    ...itf8(-1),
    ...new Array<number>(16).fill(0),
  ]
  return [
    ...block(2, 0, header, version),
    ...block(5, 0, core, version),
    ...blocks.flatMap(([id, bytes]) => block(4, Number(id), bytes, version)),
  ]
}

export interface ContainerOptions {
  readonly refId?: number
  readonly start?: number
  readonly span?: number
  readonly records?: number
  readonly compression?: Bytes
  readonly slices?: readonly Bytes[]
  /** In place of compression header and slices. */
  readonly body?: Bytes
  /** Declared, in place of the true one. */
  readonly length?: number
  readonly blocks?: number
}

export function container(options: ContainerOptions, version = 3): Bytes {
  const { refId = -2, start = 0, span = 0, records = 0, slices = [], blocks = 1 } = options
  const first = options.compression ? block(1, 0, options.compression, version) : []
  const body = options.body ?? [...first, ...slices.flat()]
  let landmark = first.length
  const landmarks = slices.map(each => {
    const at = landmark
    landmark += each.length
    return at
  })
  const header = [
    ...int32(options.length ?? body.length),
    ...[refId, start, span, records, 0, 0, blocks].flatMap(itf8),
    ...list(landmarks),
  ]
  return [...withCrc(header, version), ...body]
}

export const fileDefinition = (major = 3, minor = 0): Bytes => [
  ...text('CRAM'),
  major,
  minor,
  ...new Array<number>(20).fill(0),
]

export const headerText = (references: readonly (readonly [string, number])[]): string =>
  '@HD\tVN:1.6\tSO:coordinate\n' +
  references.map(([name, length]) => `@SQ\tSN:${name}\tLN:${length}\n`).join('')

export function headerContainer(of: string, version = 3, missing = 0): Bytes {
  const body = block(0, 0, [...int32(of.length), ...text(of)], version)
  return container({ refId: 0, body, length: body.length - missing }, version)
}

/** The EOF container as the specification spells it, of version 3 or 2.1. */
export const eofContainer = (version = 3): Bytes => [
  ...Buffer.from(
    version >= 3
      ? '0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b'
      : '0b000000ffffffff0fe0454f460000000001000001000606010001000100',
    'hex',
  ),
]

/** A whole file of these containers. */
export const cramFile = (
  references: readonly (readonly [string, number])[],
  containers: readonly Bytes[],
  version = 3,
): Uint8Array =>
  Uint8Array.from([
    ...fileDefinition(version, version >= 3 ? 0 : 1),
    ...headerContainer(headerText(references), version),
    ...containers.flat(),
    ...eofContainer(version),
  ])
