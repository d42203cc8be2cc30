import { crc32 } from 'node:zlib'
import { content, readBlockHeader, type BlockHeader } from '../BlockHeader.ts'
import { inflateBlock } from '../codecs/inflateBlock.ts'
import { readContainerHeader, type ContainerHeader } from '../ContainerHeader.ts'
import { badCrc, corrupt, tooLarge } from '../cramErrors.ts'
import { Cursor } from '../Cursor.ts'
import type { FileDefinition } from '../FileDefinition.ts'
import { core, type BlockId } from '../encodings/Encoding.ts'
import { maxBlocks, maxInflatedBytes } from '../limits.ts'
import { readSliceHeader, type SliceHeader } from '../SliceHeader.ts'

/** A block where it lies in a container. */
export interface Block {
  readonly header: BlockHeader
  /** As it is stored: header, data, checksum. */
  readonly bytes: Uint8Array
}

export interface Slice {
  readonly header: SliceHeader
  /** The slice header block's inflated bytes. */
  readonly headerBytes: Uint8Array
  readonly blocks: readonly Block[]
}

/** A container taken apart into blocks; all bytes are views. */
export interface Container {
  readonly header: ContainerHeader
  /** The compression header block's inflated bytes. */
  readonly compression: Uint8Array
  readonly slices: readonly Slice[]
}

/**
 * Takes a whole data container apart (CRAMv3 §7, §8).
 * @throws HtsvaultError CRAM_CORRUPT, CRAM_CRC, CRAM_TOO_LARGE, CRAM_UNSUPPORTED
 */
export function readContainer(bytes: Uint8Array, definition: FileDefinition): Container {
  const header = readContainerHeader(bytes, definition)
  const end = header.headerBytes + header.length
  if (end !== bytes.length) throw corrupt('a container is not as long as it says')
  const budget = new InflateBudget(definition)
  let at = header.headerBytes
  const next = (): Block => {
    const block = blockAt(bytes, at, definition)
    at += block.bytes.length
    return block
  }
  const first = next()
  if (first.header.content !== content.compressionHeader)
    throw corrupt('a container does not begin with a compression header')
  const compression = budget.inflate(first)
  const slices = header.landmarks.map((landmark): Slice => {
    if (at !== header.headerBytes + landmark) throw corrupt('a slice is not where its container says')
    const block = next()
    if (block.header.content !== content.sliceHeader) throw corrupt('a slice does not begin with its header')
    const headerBytes = budget.inflate(block)
    const slice = readSliceHeader(headerBytes, definition.major)
    const blocks = Array.from({ length: slice.blocks }, next)
    if (new Set(blocks.map(idOf)).size !== blocks.length) throw corrupt('a slice has two blocks of one id')
    return { header: slice, headerBytes, blocks }
  })
  if (at !== end) throw corrupt('a container is longer than its blocks')
  const blocks = slices.reduce((sum, slice) => sum + slice.blocks.length + 1, 1)
  if (blocks !== header.blocks) throw corrupt('a container has not the blocks that it says')
  if (blocks > maxBlocks * 4) throw tooLarge(`a container has ${blocks} blocks`)
  return { header, compression, slices }
}

/** What a data block is called within its slice. */
export const idOf = ({ header }: Block): BlockId =>
  header.content === content.core ? core : header.contentId

function blockAt(bytes: Uint8Array, at: number, { major }: FileDefinition): Block {
  const header = readBlockHeader(bytes.subarray(at))
  const size = header.headerBytes + header.size + (major >= 3 ? 4 : 0)
  if (at + size > bytes.length) throw corrupt('a block reaches past the end of its container')
  return { header, bytes: bytes.subarray(at, at + size) }
}

/** Inflates blocks of one container, their checksums checked, as long as they are not too many bytes together. */
export class InflateBudget {
  readonly #sumBytes: number
  #left = maxInflatedBytes

  constructor({ major }: FileDefinition) {
    this.#sumBytes = major >= 3 ? 4 : 0
  }

  /** @throws HtsvaultError CRAM_CORRUPT, CRAM_CRC, CRAM_TOO_LARGE, CRAM_UNSUPPORTED */
  inflate({ header, bytes }: Block): Uint8Array {
    this.#left -= header.rawSize
    if (this.#left < 0)
      throw tooLarge(`a container has over ${maxInflatedBytes} bytes that are to be changed`)
    const end = header.headerBytes + header.size
    if (this.#sumBytes > 0 && new Cursor(bytes, end).uint32() !== crc32(bytes.subarray(0, end)))
      throw badCrc('a block')
    return inflateBlock(header, bytes.subarray(header.headerBytes, end))
  }
}
