import { findByte } from '#shared/bytes/findByte.ts'
import type { ScanRange } from '#shared/bgzf/ScanRange.ts'
import {
  blockOf,
  formatVirtualOffset,
  virtualOffset,
  withinOf,
  type VirtualOffset,
} from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError, type Place } from '#shared/errors.ts'
import { Carry } from './Carry.ts'
import { shortLine, shortLines } from './ShortLines.ts'
import { readVcfHeader, type VcfHeader } from './VcfHeader.ts'
import { VcfLine, emptyLine } from './VcfLine.ts'

/** What a scanner finds, in file order. */
export interface VcfSink {
  /** Called once: `text` is the header's lines, `end` where the first record may start. */
  header(header: VcfHeader, text: Uint8Array, end: VirtualOffset): void
  /** The id of a reference whose run of records begins: called where CHROM is not that of the record before. */
  contig(name: string): number
  /** One record: 0-based half-open, as `VcfLine` reads it; `start` is where its line starts. */
  record(reference: number, begin: number, end: number, start: VirtualOffset): void
}

/** Longest header, and longest record up to its INFO column, that is held: in bytes. Sample columns are not held. */
const limits = { header: 64 << 20, head: 32 << 20 }

const newline = 10
const tab = 9
/** Tabs up to the end of the INFO column. */
const headTabs = 8
/** After so many lines of a block that are unusual, the others are not tried to be read as usual ones. */
const mostUnusual = 16

/**
 * Reads the records of a VCF file as its BGZF blocks go by, without making a string of any line.
 *
 * Only CHROM to INFO of a line that crosses blocks is ever held; sample columns are searched for the line's end.
 */
export class VcfScanner {
  readonly #sink: VcfSink
  readonly #line: VcfLine
  readonly #carry = new Carry()
  readonly #limit: number
  #state: 'header' | 'line' | 'samples'
  /** Tabs in the carry; line starts in the header's carry. */
  #tabs = 0
  #headerLine = 0
  #lineStart: number
  #next: number
  #lines = 0
  #emptyLine = 0
  /** Whether the lines of the last block were short. */
  #areShort = false
  /** Bytes of the first block before the first line. */
  #skip: number
  /** Records so far. */
  records = 0

  /** `range`: takes the lines there alone, of a file whose header is known. */
  constructor(sink: VcfSink, range?: ScanRange) {
    this.#sink = sink
    this.#line = new VcfLine(name => sink.contig(name))
    const { start = virtualOffset(0, 0), limit = Infinity } = range ?? {}
    this.#limit = limit
    this.#state = range ? 'line' : 'header'
    this.#lineStart = start
    this.#next = blockOf(start) * 65536
    this.#skip = withinOf(start)
  }

  /** Lines so far, those of the header included. */
  get lines(): number {
    return this.#lines
  }

  /** The number of the first line without anything on it that was met among the records; 0: none. */
  get emptyLine(): number {
    return this.#emptyLine
  }

  /** Where the last line ended, normalised as htslib does: a line that ends with its block ends at the next one. */
  get end(): VirtualOffset {
    return this.#lineStart as VirtualOffset
  }

  /** Where the scanner is, for messages. */
  get place(): Place {
    return {
      ...(this.#state === 'header' ? {} : { record: this.records + 1 }),
      line: this.#lines + 1,
      virtualOffset: formatVirtualOffset(this.end),
    }
  }

  /**
   * The next block, inflated, where it starts in the file, and its compressed size, in bytes: a `BlockHandler`.
   * @throws HtsvaultError VCF_HEADER_INVALID, VCF_HEADER_TOO_LONG, VCF_LINE_TOO_LONG, VCF_EMPTY_LINE, and those of
   * `VcfLine`
   */
  block(bytes: Uint8Array, offset: number, size: number): void {
    if (bytes.length === 0) return
    const base = offset * 65536
    this.#next = (offset + size) * 65536
    let at = this.#skip
    this.#skip = 0
    if (this.#state === 'header') {
      at = this.#header(bytes, base)
      if (at === -1) return
    } else if (this.#state === 'samples' || this.#carry.length > 0) {
      at = this.#resume(bytes)
      if (at === -1) return
      this.#ended(at, bytes.length, base)
    }
    // Every line up to the last newline is whole, so that the loops inside need no check for the block's end.
    const last = bytes.lastIndexOf(newline)
    const before = this.#lines
    let unusual = this.#areShort ? 0 : mostUnusual
    if (this.#areShort) shortLines().take(bytes)
    while (at <= last && this.#lineStart < this.#limit) {
      if (unusual < mostUnusual) {
        const from = at
        at = this.#readShort(at, last, bytes.length, base)
        if (at > from) continue
        unusual++
      }
      const stop = this.#line.read(bytes, at)
      if (stop === emptyLine) this.#emptyLine ||= this.#lines + 1
      else this.#emit()
      at = stop < 0 ? findByte(bytes, newline, at) : bytes[stop] === newline ? stop : endOfLine(bytes, stop)
      at++
      this.#ended(at, bytes.length, base)
    }
    this.#areShort = (this.#lines - before) * shortLine >= bytes.length
    if (at < bytes.length && this.#lineStart < this.#limit) this.#suspend(bytes, at)
  }

  /** Lines that are nothing unusual, of the block at hand: where the first begins that was not read. */
  #readShort(at: number, last: number, length: number, base: number): number {
    const short = shortLines()
    const { starts, begins, ends } = short
    const count = this.#emptyLine === 0 ? short.read(at, last, this.#line.chrom) : 0
    const { reference } = this.#line
    for (let i = 0; i < count; i++) {
      if (this.#lineStart >= this.#limit) return starts[i]!
      this.#sink.record(reference, begins[i]!, ends[i]!, this.#lineStart as VirtualOffset)
      this.records++
      this.#ended(starts[i + 1]!, length, base)
    }
    return count === 0 ? at : starts[count]!
  }

  /** @throws HtsvaultError as `block` does: the last line may lack its newline. */
  finish(): void {
    if (this.#state === 'header') {
      this.#carry.append(Uint8Array.of(newline), 0, 1)
      if (this.#findHeaderEnd() === -1) throw this.#invalidHeader('the file ends within its header')
      this.#endHeader(this.#carry.length, this.#next)
    } else if (this.#carry.length > 0) {
      this.#carry.append(Uint8Array.of(newline), 0, 1)
      if (this.#line.read(this.#carry.bytes, 0) !== emptyLine) this.#emit()
      this.#carry.clear()
    } else if (this.#state === 'line') return
    this.#state = 'line'
    this.#lineStart = this.#next
  }

  /** A line ended before `at`. */
  #ended(at: number, length: number, base: number): void {
    this.#lines++
    this.#lineStart = at < length ? base + at : this.#next
  }

  #emit(): void {
    if (this.#emptyLine !== 0) throw emptyLineAmongRecords(this.#emptyLine)
    const line = this.#line
    this.#sink.record(line.reference, line.begin, line.end, this.#lineStart as VirtualOffset)
    this.records++
  }

  /** The begin of a line that goes on in the next block. */
  #suspend(bytes: Uint8Array, at: number): void {
    this.#tabs = 0
    const stop = this.#endOfHead(bytes, at)
    if (stop === -1) this.#keep(bytes, at, bytes.length)
    else {
      this.#line.read(bytes, at)
      this.#emit()
      this.#state = 'samples'
    }
  }

  /** The rest of such a line: where the line after it starts, or -1. */
  #resume(bytes: Uint8Array): number {
    let at = 0
    if (this.#state === 'line') {
      const stop = this.#endOfHead(bytes, 0)
      if (stop === -1) {
        this.#keep(bytes, 0, bytes.length)
        return -1
      }
      this.#keep(bytes, 0, stop + 1)
      if (this.#line.read(this.#carry.bytes, 0) === emptyLine) this.#emptyLine ||= this.#lines + 1
      else this.#emit()
      this.#carry.clear()
      if (bytes[stop] === newline) return stop + 1
      this.#state = 'samples'
      at = stop
    }
    const end = findByte(bytes, newline, at)
    if (end === -1) return -1
    this.#state = 'line'
    return end + 1
  }

  /** Where the tab after INFO is, or the newline if it comes first; -1 where neither is there yet. */
  #endOfHead(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const c = bytes[at]!
      if (c === newline || (c === tab && ++this.#tabs === headTabs)) return at
    }
    return -1
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    if (this.#carry.length + to - from > limits.head)
      throw new HtsvaultError(
        'VCF_LINE_TOO_LONG',
        `CHROM to INFO of a record are longer than ${limits.head} bytes`,
        {
          place: this.place,
        },
      )
    this.#carry.append(bytes, from, to)
  }

  /** Collects the header: where in the block it ends, or -1. */
  #header(bytes: Uint8Array, base: number): number {
    const before = this.#carry.length
    if (before + bytes.length > limits.header + 65536)
      throw new HtsvaultError('VCF_HEADER_TOO_LONG', `the header is longer than ${limits.header} bytes`, {
        place: this.place,
      })
    this.#carry.append(bytes, 0, bytes.length)
    const end = this.#findHeaderEnd()
    if (end === -1) return -1
    const at = end - before
    this.#endHeader(end, at < bytes.length ? base + at : this.#next)
    return at
  }

  /** The header's length once its `#CHROM` line is whole, or -1. */
  #findHeaderEnd(): number {
    const { bytes, length } = this.#carry
    for (;;) {
      const start = this.#headerLine
      if (start < length && bytes[start] !== 35) throw this.#invalidHeader('the #CHROM line is missing')
      const end = findByte(bytes, newline, Math.max(start, this.#tabs))
      if (end === -1 || end >= length) {
        // Searched to here already.
        this.#tabs = length
        return -1
      }
      this.#lines++
      this.#headerLine = end + 1
      if (bytes[start + 1] !== 35) return end + 1
    }
  }

  #endHeader(length: number, end: number): void {
    const text = this.#carry.bytes.slice(0, length)
    const header = readVcfHeader(text)
    if (header.version === undefined) throw this.#invalidHeader('the first line is not ##fileformat=VCFv4.x')
    this.#carry.clear()
    this.#carry.bytes = new Uint8Array(1024)
    this.#state = 'line'
    this.#lineStart = end
    this.#sink.header(header, text, end as VirtualOffset)
  }

  #invalidHeader(message: string): HtsvaultError {
    return new HtsvaultError('VCF_HEADER_INVALID', message, {
      place: { line: this.#lines + 1 },
      hint: 'Look at the header (bcftools head FILE) and put it right with bcftools reheader.',
    })
  }
}

/** The error for line number `line`, which has nothing on it. */
export const emptyLineAmongRecords = (line: number): HtsvaultError =>
  new HtsvaultError('VCF_EMPTY_LINE', 'there is an empty line among the records', {
    place: { line },
    hint: "Take it out: bgzip -dc FILE.vcf.gz | grep -v '^\\s*$' | bgzip > NEW.vcf.gz",
  })

/** The newline after `from`, which is there: short rests are faster in a loop than by a call. */
function endOfLine(bytes: Uint8Array, from: number): number {
  const near = from + 48
  for (let at = from; at < near; at++) if (bytes[at] === newline) return at
  return findByte(bytes, newline, near)
}
