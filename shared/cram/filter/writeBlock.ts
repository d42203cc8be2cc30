import { crc32, gzipSync } from 'node:zlib'
import { content, method } from '../BlockHeader.ts'
import { CramWriter } from '../CramWriter.ts'
import type { FileDefinition } from '../FileDefinition.ts'

interface NewBlock {
  readonly method: number
  readonly content: number
  readonly contentId: number
  readonly rawSize: number
  readonly data: Uint8Array
}

function writeBlock({ major }: FileDefinition, block: NewBlock): Uint8Array {
  const writer = new CramWriter()
    .uint8(block.method)
    .uint8(block.content)
    .itf8(block.contentId)
    .itf8(block.data.length)
    .itf8(block.rawSize)
    .put(block.data)
  if (major >= 3) writer.uint32(crc32(writer.take()))
  return writer.take()
}

/** A block of a header, which is not compressed. */
export const writeHeaderBlock = (
  definition: FileDefinition,
  kind: typeof content.compressionHeader | typeof content.sliceHeader,
  raw: Uint8Array,
): Uint8Array =>
  writeBlock(definition, { method: method.raw, content: kind, contentId: 0, rawSize: raw.length, data: raw })

/** An external block of these bytes. */
export const writeExternalBlock = (
  definition: FileDefinition,
  contentId: number,
  raw: Uint8Array,
): Uint8Array =>
  writeBlock(definition, {
    method: method.gzip,
    content: content.external,
    contentId,
    rawSize: raw.length,
    data: gzipSync(raw),
  })

/**
 * An external block of `rawSize` times the same byte: in version 3 by rANS 4x8, where one symbol of frequency 4096
 * takes no bits and any number of them 29 bytes; in version 2 by gzip.
 */
export function writeConstantBlock(
  definition: FileDefinition,
  contentId: number,
  value: number,
  rawSize: number,
): Uint8Array {
  const block = { content: content.external, contentId, rawSize }
  if (rawSize <= 32)
    return writeBlock(definition, { ...block, method: method.raw, data: new Uint8Array(rawSize).fill(value) })
  if (definition.major < 3)
    return writeBlock(definition, {
      ...block,
      method: method.gzip,
      data: gzipSync(new Uint8Array(rawSize).fill(value)),
    })
  // Order 0; sizes; the table: a symbol, its frequency, the end; four states, which no symbol changes.
  const table = new CramWriter().uint8(value).itf8(4096).uint8(0)
  const data = new CramWriter().uint8(0)
  data
    .uint32(table.size + 16)
    .uint32(rawSize)
    .put(table.take())
  for (let lane = 0; lane < 4; lane++) data.uint32(1 << 23)
  return writeBlock(definition, { ...block, method: method.rans4x8, data: data.take() })
}
