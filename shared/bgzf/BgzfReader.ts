import { HtsvaultError } from '#shared/errors.ts'
import { eofMarker, maxBlockSize, readBlockSize } from './blockHeader.ts'
import { type InflateBlock, inflateAhead } from './inflateAhead.ts'
import { maxBlockOffset } from './VirtualOffset.ts'

/**
 * Takes each inflated block: its bytes, where it starts in the file, and its compressed size, in bytes. The bytes are
 * valid until it returns.
 */
export type BlockHandler = (plain: Uint8Array, blockOffset: number, blockSize: number) => void

const empty = new Uint8Array(0)

/**
 * Inflates a BGZF file (SAMv1 §4.1) as its bytes go by, in chunks of any size, and hands on block after block,
 * empty ones included. The checksum of each is checked; a chunk is copied only where a block crosses its end.
 */
export class BgzfReader {
  readonly #onBlock: BlockHandler
  readonly #inflate: InflateBlock
  /** The head of a block that the last chunk broke off. */
  readonly #partial = new Uint8Array(maxBlockSize)
  #partialSize = 0
  #offset: number
  #eofAt = -1
  #stopped = false

  /** `offset`: where in the file the bytes begin that will come. */
  constructor(onBlock: BlockHandler, offset = 0, inflate = inflateAhead()) {
    this.#onBlock = onBlock
    this.#inflate = inflate
    this.#offset = offset
  }

  /** From the next block on nothing is looked at any more. */
  stop(): void {
    this.#stopped = true
  }

  /** Bytes of the file up to the end of the last whole block. */
  get offset(): number {
    return this.#offset
  }

  /** @throws HtsvaultError NOT_BGZF, BGZF_BAD_HEADER, BGZF_BAD_DATA, BGZF_CRC, TRAILING_DATA, FILE_TOO_LARGE */
  push(bytes: Uint8Array): void {
    // Should it be the array that came last time, with other bytes.
    const chunk = bytes.subarray()
    let at = 0
    while (this.#partialSize > 0 && at < chunk.length && !this.#stopped) at = this.#fillPartial(chunk, at)
    while (at < chunk.length && !this.#stopped) {
      const size = this.#sizeAt(chunk, at, chunk.length)
      if (size === 0 || at + size > chunk.length) {
        this.#keep(chunk.subarray(at))
        return
      }
      this.#take(chunk, at, size)
      at += size
    }
  }

  /**
   * Says that there is no more.
   * @throws HtsvaultError EMPTY_FILE, BGZF_TRUNCATED within a block, BGZF_NO_EOF where the end marker is missing
   */
  finish(): void {
    if (this.#partialSize > 0)
      throw new HtsvaultError('BGZF_TRUNCATED', 'the file ends in the middle of a BGZF block', {
        place: { offset: this.#offset },
        hint: 'the file is cut off: upload it again, or make it again',
      })
    if (this.#offset === 0)
      throw new HtsvaultError('EMPTY_FILE', 'the file is empty', { hint: 'upload it again' })
    if (this.#eofAt + eofMarker.length !== this.#offset)
      throw new HtsvaultError('BGZF_NO_EOF', 'the file does not end with the BGZF end-of-file marker', {
        place: { offset: this.#offset },
        hint: 'the file is probably cut off: upload it again, or make it again',
      })
  }

  /** Adds to the broken-off block what it lacks, first its header, then the rest; where in the chunk it stopped. */
  #fillPartial(chunk: Uint8Array, at: number): number {
    const had = this.#partialSize
    let size = this.#sizeAt(this.#partial, 0, had)
    if (size === 0) {
      // Up to a whole block is looked at, what is not of this block stays in the chunk.
      const more = Math.min(maxBlockSize - had, chunk.length - at)
      this.#partial.set(chunk.subarray(at, at + more), had)
      size = this.#sizeAt(this.#partial, 0, had + more)
      if (size === 0) {
        this.#partialSize = had + more
        return at + more
      }
    }
    const more = Math.min(size - had, chunk.length - at)
    this.#partial.set(chunk.subarray(at, at + more), had)
    this.#partialSize = had + more
    if (this.#partialSize === size) {
      this.#partialSize = 0
      this.#take(this.#partial.subarray(0, size), 0, size)
    }
    return at + more
  }

  #keep(rest: Uint8Array): void {
    this.#partial.set(rest)
    this.#partialSize = rest.length
  }

  #sizeAt(bytes: Uint8Array, at: number, end: number): number {
    try {
      const size = readBlockSize(bytes, at, end, this.#offset)
      if (size > 0 || end - at < maxBlockSize) return size
    } catch (error) {
      if (this.#eofAt >= 0 && this.#eofAt + eofMarker.length === this.#offset)
        throw new HtsvaultError('TRAILING_DATA', 'there is something behind the end-of-file marker', {
          place: { offset: this.#offset },
          hint: 'cut the file off there, or make it again',
          cause: error,
        })
      throw error
    }
    throw new HtsvaultError('BGZF_BAD_HEADER', 'the header of a BGZF block is longer than a block may be', {
      place: { offset: this.#offset },
    })
  }

  #take(bytes: Uint8Array, at: number, size: number): void {
    const offset = this.#offset
    if (offset + size > maxBlockOffset)
      throw new HtsvaultError('FILE_TOO_LARGE', 'files over 128 GiB are not supported', { place: { offset } })
    this.#offset = offset + size
    if (isEofMarker(bytes, at, size)) {
      this.#eofAt = offset
      this.#onBlock(empty, offset, size)
    } else this.#onBlock(this.#inflate(bytes, at, size, offset), offset, size)
  }
}

function isEofMarker(bytes: Uint8Array, at: number, size: number): boolean {
  return size === eofMarker.length && eofMarker.every((byte, i) => byte === bytes[at + i])
}
