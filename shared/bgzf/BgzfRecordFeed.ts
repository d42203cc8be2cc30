import { HtsvaultError } from '#shared/errors.ts'
import { type VirtualOffset, blockOf, formatVirtualOffset, virtualOffset, withinOf } from './VirtualOffset.ts'

/**
 * Takes what it can of the plain bytes `start` to `end` of `window` and answers up to where it did: behind its last
 * whole record. What it leaves comes again, with more behind it.
 *
 * The record at `start` has the virtual offset `first`, one at `p > start` has `base + p`: no call, no table in the
 * hot loop. A record that was incomplete before ends in bytes that are new.
 */
export type RecordHandler = (
  window: Uint8Array,
  start: number,
  end: number,
  first: VirtualOffset,
  base: number,
) => number

/** How much of a new block is copied behind a broken-off record at first: most records end within. */
const firstJoin = 4096

/** The longest record that is put together, in bytes: far above any read or line that has been seen. */
export const maxRecordSize = 1 << 27

/**
 * Feeds inflated BGZF blocks to a reader of records. A record that lies in one block is read where it was inflated;
 * only one that crosses a border is copied.
 *
 * Virtual offsets are those that htslib's `bgzf_tell` gives: what starts right at the end of a block has the offset
 * of the next byte in the file, also where an empty block stands there.
 */
export class BgzfRecordFeed {
  readonly #onRecords: RecordHandler
  /** The first `#carrySize` bytes were left by the handler. */
  #scratch = new Uint8Array(0)
  #carrySize = 0
  #carryFirst = virtualOffset(0, 0)
  /** Where the last block that held anything ends in the file. */
  #blockEnd: number
  /** Bytes of the first block before `start`. */
  #skip: number

  /** `start`: where in the first block that comes the first record begins. */
  constructor(onRecords: RecordHandler, start = virtualOffset(0, 0)) {
    this.#onRecords = onRecords
    this.#blockEnd = blockOf(start)
    this.#skip = withinOf(start)
  }

  /** The virtual offset of the next byte that the handler will be given. */
  get offset(): VirtualOffset {
    return this.#carrySize > 0 ? this.#carryFirst : virtualOffset(this.#blockEnd, this.#skip)
  }

  /** Bytes that the handler has left: those of a record that is not whole. */
  get pending(): number {
    return this.#carrySize
  }

  /** A block as BgzfReader hands it on; empty ones are passed over. @throws HtsvaultError RECORD_TOO_LONG */
  block(plain: Uint8Array, blockOffset: number, blockSize: number): void {
    if (plain.length === 0) return
    const blockBase = blockOffset * 65536
    let at = this.#skip
    let first = at === 0 ? virtualOffset(this.#blockEnd, 0) : virtualOffset(blockOffset, at)
    this.#skip = 0
    this.#blockEnd = blockOffset + blockSize
    if (this.#carrySize > 0) {
      at = this.#join(plain, blockBase)
      if (at < 0) return
      first = (blockBase + at) as VirtualOffset
    }
    if (at < plain.length) {
      const start = at
      at = this.#onRecords(plain, start, plain.length, first, blockBase)
      if (at > start) first = (blockBase + at) as VirtualOffset
    }
    // The block is valid until we return.
    const rest = plain.subarray(at)
    this.#reserve(rest.length, 0)
    this.#scratch.set(rest)
    this.#carrySize = rest.length
    this.#carryFirst = first
  }

  /** Reads on over the border; answers where in the block to go on, -1 where all of it has become carry. */
  #join(plain: Uint8Array, blockBase: number): number {
    const had = this.#carrySize
    if (had + plain.length > maxRecordSize)
      throw new HtsvaultError('RECORD_TOO_LONG', `a record is longer than ${maxRecordSize} bytes`, {
        place: { virtualOffset: formatVirtualOffset(this.#carryFirst) },
      })
    this.#reserve(had + plain.length, had)
    let joined = 0
    while (joined < plain.length) {
      const more = joined === 0 ? Math.min(plain.length, firstJoin) : plain.length
      this.#scratch.set(plain.subarray(joined, more), had + joined)
      joined = more
      const at = this.#onRecords(this.#scratch, 0, had + joined, this.#carryFirst, blockBase - had)
      if (at > 0) return at - had
    }
    this.#carrySize = had + joined
    return -1
  }

  /** Makes the scratch buffer at least `size` bytes, of which the first `kept` stay. */
  #reserve(size: number, kept: number): void {
    if (this.#scratch.length >= size) return
    const grown = new Uint8Array(Math.max(2 * this.#scratch.length, size, 1 << 17))
    grown.set(this.#scratch.subarray(0, kept))
    this.#scratch = grown
  }
}
