import { BgzfRecordFeed, maxRecordSize } from '#shared/bgzf/BgzfRecordFeed.ts'
import type { ScanRange } from '#shared/bgzf/ScanRange.ts'
import { formatVirtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError, type Place } from '#shared/errors.ts'
import { bcfHeaderSize, readBcfHeader, type BcfHeader } from './BcfHeader.ts'
import { readRefLength } from './readRefLength.ts'

/** What a scanner finds, in file order. */
export interface BcfSink {
  /** Called once: `bytes` are magic, length and text, `end` is where the first record may start. */
  header(header: BcfHeader, bytes: Uint8Array, end: VirtualOffset): void
  /** The id of a reference whose run of records begins: called where CHROM is not that of the record before. */
  contig(id: number): number
  /**
   * One record: `begin` is POS, 0-based, `end` is POS + rlen, where rlen may be 0; POS −1, a telomere, lies in the
   * first base, as htslib has it. `start` is where the record starts.
   */
  record(reference: number, begin: number, end: number, start: VirtualOffset): void
}

/** l_shared and l_indiv, and the fixed part of what follows them (VCFv4.3 §6.3.1). */
const lengthBytes = 8
const fixedBytes = 24

/** Reads the records of a BCF file as its BGZF blocks go by. */
export class BcfScanner {
  readonly #sink: BcfSink
  readonly #feed: BgzfRecordFeed
  readonly #limit: number
  #inHeader: boolean
  /** CHROM of the record before, as the file has it and as the sink numbers it; unlike any before the first. */
  #chrom = Number.NaN
  #reference = -1
  /** Where the record that is being read starts. */
  #start: number
  /** Where the current block's bytes end, and where the block after it starts: the same place in the data. */
  #blockEnd = 0
  #nextBlock = 0
  /** Records so far. */
  records = 0

  /** `range`: takes the records there alone, of a file whose header is known. */
  constructor(sink: BcfSink, range?: ScanRange) {
    this.#sink = sink
    this.#inHeader = range === undefined
    this.#limit = range?.limit ?? Infinity
    this.#start = range?.start ?? 0
    this.#feed = new BgzfRecordFeed(
      (window, start, end, first, base) => this.#take(window, start, end, first, base),
      range?.start,
    )
  }

  /** Where the last record ended, as htslib's `bgzf_tell` tells it. */
  get end(): VirtualOffset {
    return this.#feed.offset
  }

  /** Where the scanner is, for messages. */
  get place(): Place {
    const virtualOffset = formatVirtualOffset(this.#start as VirtualOffset)
    return this.#inHeader ? { virtualOffset } : { record: this.records + 1, virtualOffset }
  }

  /**
   * The next block, inflated, where it starts in the file, and its compressed size, in bytes: a `BlockHandler`.
   * @throws HtsvaultError BCF_HEADER_INVALID, VCF_HEADER_INVALID, BCF_RECORD_INVALID, RECORD_TOO_LONG
   */
  block(bytes: Uint8Array, offset: number, size: number): void {
    this.#blockEnd = offset * 65536 + bytes.length
    this.#nextBlock = (offset + size) * 65536
    this.#feed.block(bytes, offset, size)
    this.#start = this.#feed.offset
  }

  /** @throws HtsvaultError BCF_TRUNCATED where the header or a record is not whole */
  finish(): void {
    if (!this.#inHeader && this.#feed.pending === 0) return
    const what = this.#inHeader ? 'header' : 'last record'
    throw new HtsvaultError('BCF_TRUNCATED', `the file ends within its ${what}`, {
      place: this.#inHeader ? {} : { record: this.records + 1, virtualOffset: formatVirtualOffset(this.end) },
      hint: 'The file was cut off when it was made: make it again (bcftools view -Ob -o NEW.bcf FILE).',
    })
  }

  #take(bytes: Uint8Array, from: number, end: number, first: VirtualOffset, base: number): number {
    let at = from
    if (this.#inHeader) {
      at = this.#takeHeader(bytes.subarray(from, end), from + base)
      if (at === 0) return from
      at += from
    }
    while (end - at >= lengthBytes + fixedBytes) {
      this.#start = at === from ? first : base + at
      if (this.#start >= this.#limit) break
      const shared = uint32(bytes, at)
      const indiv = uint32(bytes, at + 4)
      const next = at + lengthBytes + shared + indiv
      if (shared < fixedBytes) throw invalid('a record is shorter than its fixed fields')
      if (next - at > maxRecordSize) throw invalid(`a record is longer than ${maxRecordSize} bytes`)
      if (next > end) break
      const chrom = int32(bytes, at + 8)
      if (chrom !== this.#chrom) {
        this.#reference = this.#sink.contig(chrom)
        this.#chrom = chrom
      }
      // Unsigned, but for −1.
      const field = uint32(bytes, at + 12)
      const pos = field === 0xffffffff ? -1 : field
      let length = int32(bytes, at + 16)
      if (length < 0) length = readRefLength(bytes, at + lengthBytes + fixedBytes, at + lengthBytes + shared)
      const start = this.#start as VirtualOffset
      this.#sink.record(this.#reference, Math.max(pos, 0), Math.max(pos + length, 1), start)
      this.records++
      at = next
    }
    return at
  }

  /** Its length in bytes, or 0 where it is not whole. */
  #takeHeader(bytes: Uint8Array, offset: number): number {
    const size = bcfHeaderSize(bytes)
    if (size === 0 || size > bytes.length) return 0
    const header = readBcfHeader(bytes.subarray(0, size))
    const end = offset + size === this.#blockEnd ? this.#nextBlock : offset + size
    this.#inHeader = false
    this.#sink.header(header, bytes.slice(0, size), end as VirtualOffset)
    return size
  }
}

const int32 = (bytes: Uint8Array, at: number) =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

const uint32 = (bytes: Uint8Array, at: number) => int32(bytes, at) >>> 0

const invalid = (message: string) =>
  new HtsvaultError('BCF_RECORD_INVALID', message, {
    hint: 'Make the file again: bcftools view -Ob -o NEW.bcf FILE',
  })
