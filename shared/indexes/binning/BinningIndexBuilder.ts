import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { BinningIndex } from './BinningIndex.ts'
import { type BinningScheme, binOfWindows, schemeEnd } from './bins.ts'
import { buildBinningIndex } from './buildBinningIndex.ts'
import { outOfRange } from './outOfRange.ts'
import { RunTable, type Stretch, unsorted } from './RunTable.ts'

export interface BinningOptions extends BinningScheme {
  /** How many references the file's header has; more come as records name them. */
  readonly references?: number
  /** Whether the linear index is wanted, as BAI and TBI have it; CSI has `loffset` of each bin instead. */
  readonly linear: boolean
}

/** What may be settled when all records are known. */
export interface FinishOptions {
  /** Levels of the index that is written, at most those of the scheme it was built with. */
  readonly depth?: number
  readonly linear?: boolean
}

/**
 * Builds the binning index of a sorted file, byte for byte as htslib's `hts_idx_push` and `hts_idx_finish` do
 * (merged small bins, order of bins and `loffset` included).
 */
export class BinningIndexBuilder {
  readonly #options: BinningOptions
  readonly #table = new RunTable()
  readonly #end: number
  readonly #windowSize: number
  /** Of the current stretch. */
  #refId = -2
  #stretch: Stretch | undefined
  #lastWindow = -1
  #bin = -1

  constructor(options: BinningOptions) {
    this.#options = options
    this.#end = schemeEnd(options)
    this.#windowSize = 2 ** options.minShift
  }

  /**
   * Takes the next record: on reference `refId` (-1: unplaced), from `beg` to `end` (0-based, half-open; `beg` -1 is
   * taken as 0, and one alone may be), begun at `start`: where the record before ended.
   * @throws HtsvaultError UNSORTED, RECORD_ENDS_BEFORE_START, POSITION_TOO_LARGE for the scheme
   */
  add(refId: number, beg: number, end: number, start: VirtualOffset, mapped: boolean): void {
    if (refId !== this.#refId) this.#turn(refId, beg, start)
    const stretch = this.#stretch
    const table = this.#table
    if (stretch === undefined) {
      table.unplaced++
      return
    }
    if (beg < stretch.lastBeg) throw unsorted('a record starts before the one that precedes it', start)
    stretch.lastBeg = Math.max(beg, 0)
    if (end < beg || end > this.#end) throw outOfRange(end < beg, this.#end, start)
    const lastWindow = Math.floor((Math.max(end, 1) - 1) / this.#windowSize)
    const firstWindow = Math.floor(Math.max(beg, 0) / this.#windowSize)
    if (lastWindow > this.#lastWindow) {
      this.#lastWindow = lastWindow
      table.stepWindows.push(lastWindow)
      table.stepOffsets.push(start)
    }
    const bin = binOfWindows(firstWindow, lastWindow, this.#options.depth)
    if (bin !== this.#bin) {
      this.#bin = bin
      table.runBins.push(bin)
      table.runStarts.push(start)
    }
    if (mapped) stretch.mapped++
    else stretch.unmapped++
  }

  /** What was added, which ended at `end`: the state of the index before it is put in order. */
  runs(end: VirtualOffset): RunTable {
    this.#table.close(end)
    return this.#table
  }

  /**
   * The index of all that was added; `end` is where the last record ended.
   * @throws HtsvaultError POSITION_TOO_LARGE where a record does not fit `depth`; INDEX_TOO_LARGE
   */
  finish(end: VirtualOffset, options: FinishOptions = {}): BinningIndex {
    const { minShift, depth, references = 0, linear } = this.#options
    const layout = { minShift, depth, runDepth: depth, references, linear, ...options }
    return buildBinningIndex(this.runs(end), layout)
  }

  /** A record on another reference than the one before it. */
  #turn(refId: number, beg: number, start: VirtualOffset): void {
    this.#table.close(start)
    this.#refId = refId
    this.#stretch = undefined
    if (refId < 0) return
    this.#stretch = this.#table.open(refId, beg, start)
    this.#lastWindow = -1
    this.#bin = -1
  }
}
