import { crc32 } from 'node:zlib'
import { HtsvaultError } from '#shared/errors.ts'
import { maxBlockHeaderBytes, readBlockHeader, type BlockHeader } from './BlockHeader.ts'
import { ByteFeed } from './ByteFeed.ts'
import {
  containerHeaderLimit,
  containerHeaderPeek,
  readContainerHeader,
  type ContainerHeader,
} from './ContainerHeader.ts'
import { badCrc, corrupt, tooLarge, truncated } from './cramErrors.ts'
import type { StoredBlock } from './encodings/SliceData.ts'
import type { FileDefinition } from './FileDefinition.ts'
import { maxInflatedBytes } from './limits.ts'

/**
 * Takes container headers and blocks (CRAMv3 §7, §8) off a file whose bytes come chunk by chunk. Its generators yield
 * where more bytes are wanted.
 */
export class BlockFeed {
  readonly bytes = new ByteFeed()
  /** Whose layout is read. */
  definition: FileDefinition = { major: 3, minor: 0 }
  /** Where the container or block that is being read begins. */
  place = 0

  /** CRAM 2.1 has no checksums. */
  get #sumBytes(): number {
    return this.definition.major >= 3 ? 4 : 0
  }

  /** @throws HtsvaultError CRAM_CORRUPT, CRAM_CRC, CRAM_TRUNCATED; TRAILING_DATA for what is none behind the EOF marker */
  *containerHeader(afterEof = false): Generator<void, ContainerHeader> {
    const { bytes } = this
    this.place = bytes.offset
    yield* this.await(containerHeaderPeek)
    let wanted = containerHeaderPeek
    try {
      wanted = containerHeaderLimit(bytes.peek(containerHeaderPeek), this.definition)
      if (wanted > containerHeaderPeek) yield* this.await(wanted)
      const header = readContainerHeader(bytes.peek(wanted), this.definition)
      bytes.advance(header.headerBytes)
      return header
    } catch (error) {
      // Files that were joined have containers behind an EOF marker; other bytes there are no part of the file.
      if (afterEof) throw trailing(error)
      throw this.#cutOff(error, wanted, 'a container header')
    }
  }

  /** The header of a block that is to end within `left` bytes. @throws HtsvaultError CRAM_CORRUPT, CRAM_TRUNCATED */
  *header(left: number): Generator<void, BlockHeader> {
    const { bytes } = this
    this.place = bytes.offset
    if (bytes.held < maxBlockHeaderBytes) yield* this.await(maxBlockHeaderBytes)
    try {
      const header = readBlockHeader(bytes.peek(maxBlockHeaderBytes))
      if (header.headerBytes + header.size + this.#sumBytes > left)
        throw corrupt('a block reaches past the end of its container')
      return header
    } catch (error) {
      throw this.#cutOff(error, maxBlockHeaderBytes, 'a block header')
    }
  }

  /** A whole block. @throws HtsvaultError as `header` and `body`, CRAM_TOO_LARGE */
  *keep(left: number): Generator<void, StoredBlock> {
    const header = yield* this.header(left)
    if (header.size > maxInflatedBytes)
      throw tooLarge(`a header's block has ${header.size} bytes, ${maxInflatedBytes} are allowed`)
    return { header, bytes: yield* this.body(header) }
  }

  /** A block's stored bytes, its checksum checked: a copy. @throws HtsvaultError CRAM_CRC, CRAM_TRUNCATED */
  *body({ headerBytes, size }: BlockHeader): Generator<void, Uint8Array> {
    const { bytes } = this
    const total = headerBytes + size + this.#sumBytes
    yield* this.need(total)
    const block = bytes.peek(total).slice()
    bytes.advance(total)
    const end = headerBytes + size
    if (this.#sumBytes > 0 && crc32(block.subarray(0, end)) !== littleEndian(block, end))
      throw badCrc('a block')
    return block.subarray(headerBytes, end)
  }

  /** Reads past a block, its checksum checked as its bytes go by. @throws as `body` */
  *skip({ headerBytes, size }: BlockHeader): Generator<void, void> {
    const { bytes } = this
    let crc = 0
    for (let left = headerBytes + size; left > 0;) {
      if (bytes.held === 0) yield* this.need(1)
      const summed = bytes.sum(left, crc)
      crc = summed.crc
      left -= summed.taken
    }
    if (this.#sumBytes === 0) return
    if (bytes.held < 4) yield* this.need(4)
    if (littleEndian(bytes.peek(4), 0) !== crc) throw badCrc('a block')
    bytes.advance(4)
  }

  /** Waits for so many bytes, or for the end of the file. */
  *await(size: number): Generator<void, void> {
    while (this.bytes.held < size && !this.bytes.ended) yield
  }

  /** @throws HtsvaultError CRAM_TRUNCATED where the file ends before */
  *need(size: number): Generator<void, void> {
    yield* this.await(size)
    if (this.bytes.held < size) throw truncated('the file ends within a block')
  }

  /** Where fewer bytes are left than were asked for, what does not parse was cut off. */
  #cutOff(error: unknown, wanted: number, what: string): unknown {
    const short = this.bytes.ended && this.bytes.held < wanted
    const cut = short && error instanceof HtsvaultError && error.code === 'CRAM_CORRUPT'
    return cut ? truncated(`the file ends within ${what}`) : error
  }
}

const trailing = (cause: unknown) =>
  new HtsvaultError('TRAILING_DATA', 'bytes that are not CRAM follow the EOF container', {
    hint: 'head -c OFFSET FILE.cram > NEW.cram keeps what comes before them; OFFSET is the place named here.',
    cause,
  })

const littleEndian = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
