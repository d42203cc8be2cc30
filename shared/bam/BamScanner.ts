import { BgzfRecordFeed, maxRecordSize } from '#shared/bgzf/BgzfRecordFeed.ts'
import type { ScanRange } from '#shared/bgzf/ScanRange.ts'
import { formatVirtualOffset, virtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError, type Place } from '#shared/errors.ts'
import { BamHeaderReader, type BamHeader } from './BamHeaderReader.ts'
import { badRecord, checkRecord, fieldAt, fixedSize, recordEnd, unmappedFlag } from './bamRecord.ts'

/** What a scanner finds, in file order. */
export interface BamSink {
  /** Called once: `bytes` is the header as it is inflated (a view, not to be kept), `end` where records may start. */
  header(header: BamHeader, bytes: Uint8Array, end: VirtualOffset): void
  /** One record: on reference `refId` (-1: none), from `beg` to `end` (0-based, half-open), begun at `start`. */
  record(refId: number, beg: number, end: number, start: VirtualOffset, mapped: boolean): void
}

/** Reads the header and the records of a BAM file (SAMv1 §4.2) as its BGZF blocks go by. */
export class BamScanner {
  readonly #sink: BamSink
  readonly #feed: BgzfRecordFeed
  readonly #headerReader = new BamHeaderReader()
  readonly #limit: number
  #references: number
  /** Set when the header is done and where the first record starts is not known yet. */
  #pendingHeader: { header: BamHeader; bytes: Uint8Array } | undefined
  /** Records so far. */
  records = 0
  #start: VirtualOffset

  /** `range`: takes the records there alone, of a file whose header has so many references. */
  constructor(sink: BamSink, range?: ScanRange & { readonly references: number }) {
    this.#sink = sink
    this.#references = range?.references ?? -1
    this.#limit = range?.limit ?? Infinity
    this.#start = range?.start ?? virtualOffset(0, 0)
    this.#feed = new BgzfRecordFeed(
      (window, start, end, first, base) => this.#take(window, start, end, first, base),
      this.#start,
    )
  }

  /** Where the last whole record ended, and the next one begins. */
  get end(): VirtualOffset {
    return this.#feed.offset
  }

  /** The next block, inflated, where it starts in the file, and its compressed size, in bytes: a `BlockHandler`. */
  block(plain: Uint8Array, offset: number, size: number): void {
    this.#feed.block(plain, offset, size)
    if (this.#pendingHeader) this.#announceHeader(this.#feed.offset)
  }

  /** Says that there is no more. @throws HtsvaultError BAM_TRUNCATED within the header or a record */
  finish(): void {
    if (this.#references >= 0 && this.#feed.pending === 0) return
    const where = this.#references < 0 ? 'header' : 'record'
    throw new HtsvaultError('BAM_TRUNCATED', `the file ends in the middle of a ${where}`, {
      place: { virtualOffset: formatVirtualOffset(this.#feed.offset), ...this.#recordPlace() },
      hint: 'the file is cut off: upload it again, or make it again',
    })
  }

  #take(window: Uint8Array, start: number, end: number, first: VirtualOffset, base: number): number {
    if (this.#pendingHeader) this.#announceHeader(first)
    let at = start
    let offset = first
    if (this.#references < 0) {
      const header = this.#headerReader.read(window, start, end)
      if (!header) return start
      this.#references = header.references.length
      at += header.size
      offset = (base + at) as VirtualOffset
      this.#pendingHeader = { header, bytes: window.subarray(start, at) }
      // At the end of a block the next byte's offset is that of the next block: the feed will tell.
      if (at === end) return at
      this.#announceHeader(offset)
    }
    this.#start = offset
    try {
      return this.#takeRecords(window, at, end, base)
    } catch (error) {
      if (!(error instanceof HtsvaultError)) throw error
      throw error.at({ ...this.#recordPlace(), virtualOffset: formatVirtualOffset(this.#start) })
    }
  }

  /** The record at `from` starts at `#start`. */
  #takeRecords(window: Uint8Array, from: number, end: number, base: number): number {
    const view = new DataView(window.buffer, window.byteOffset, window.byteLength)
    const sink = this.#sink
    const references = this.#references
    const limit = this.#limit
    let at = from
    while (at + fixedSize <= end && this.#start < limit) {
      const blockSize = view.getInt32(at, true)
      if (blockSize < fixedSize - 4) throw badRecord(`says that it is ${blockSize} bytes, too few to be one`)
      if (blockSize + 4 > maxRecordSize)
        throw new HtsvaultError('RECORD_TOO_LONG', `a record says that it is ${blockSize} bytes long`)
      const size = blockSize + 4
      if (at + size > end) break
      checkRecord(view, at, size, references)
      const flag = view.getUint16(at + fieldAt.flag, true)
      sink.record(
        view.getInt32(at + fieldAt.refId, true),
        view.getInt32(at + fieldAt.pos, true),
        recordEnd(view, at, size),
        this.#start,
        (flag & unmappedFlag) === 0,
      )
      this.records++
      at += size
      this.#start = (base + at) as VirtualOffset
    }
    return at
  }

  #announceHeader(end: VirtualOffset): void {
    const { header, bytes } = this.#pendingHeader!
    this.#pendingHeader = undefined
    this.#sink.header(header, bytes, end)
  }

  /** The number of the record that is being read; none while it is the header. */
  #recordPlace(): Place {
    return this.#references < 0 ? {} : { record: this.records + 1 }
  }
}
