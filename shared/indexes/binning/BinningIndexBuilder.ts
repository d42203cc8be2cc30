import { type VirtualOffset, formatVirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { BinningIndex } from './BinningIndex.ts'
import { type BinningScheme, binOfWindows, firstWindow, metadataBin, schemeEnd } from './bins.ts'
import { Float64Column, Uint32Column } from './Columns.ts'
import { khashOrder } from './khashOrder.ts'
import { type Runs, mergeSmallBins } from './mergeSmallBins.ts'
import { narrowRuns } from './narrowRuns.ts'

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

/** What one stretch of records on one reference left. Runs and windows are in the builder's columns. */
interface Stretch {
  readonly firstRun: number
  readonly firstStep: number
  readonly start: VirtualOffset
  endRun: number
  endStep: number
  end: VirtualOffset
  mapped: number
  unmapped: number
}

/**
 * Windows of a linear index, all references together: 128 MiB of index, for 270 Gb. A few thousand lines of a hostile
 * file, each at the end of a contig of its own, would make any amount.
 */
const maxWindows = 2 ** 24

/**
 * Builds the binning index of a sorted file, byte for byte as htslib's `hts_idx_push` and `hts_idx_finish` do
 * (merged small bins, order of bins and `loffset` included).
 *
 * What it keeps is a number pair for each run of records in one bin, and one for each record that reaches a window
 * of the linear index for the first time.
 */
export class BinningIndexBuilder {
  readonly #scheme: BinningScheme
  readonly #linear: boolean
  readonly #end: number
  readonly #windowSize: number
  readonly #stretches: (Stretch | undefined)[]
  readonly #runBins = new Uint32Column()
  readonly #runStarts = new Float64Column()
  /** The linear index as steps: the windows after the step before, up to this one, have this offset. */
  readonly #stepWindows = new Uint32Column()
  readonly #stepOffsets = new Float64Column()
  #unplaced = 0
  #furthestWindow = -1
  /** Of the current stretch. */
  #refId = -2
  #stretch: Stretch | undefined
  #lastBeg = 0
  #lastWindow = -1
  #bin = -1

  constructor({ minShift, depth, references = 0, linear }: BinningOptions) {
    this.#scheme = { minShift, depth }
    this.#linear = linear
    this.#end = schemeEnd(this.#scheme)
    this.#windowSize = 2 ** minShift
    this.#stretches = new Array<Stretch | undefined>(references).fill(undefined)
  }

  /**
   * Takes the next record: on reference `refId` (-1: unplaced), from `beg` to `end` (0-based, half-open; `beg` -1 is
   * taken as 0, and one alone may be), begun at `start`: where the record before ended.
   * @throws HtsvaultError UNSORTED, RECORD_ENDS_BEFORE_START, POSITION_TOO_LARGE for the scheme
   */
  add(refId: number, beg: number, end: number, start: VirtualOffset, mapped: boolean): void {
    if (refId !== this.#refId) this.#turn(refId, start)
    const stretch = this.#stretch
    if (stretch === undefined) {
      this.#unplaced++
      return
    }
    if (beg < this.#lastBeg) throw unsorted('a record starts before the one that precedes it', start)
    this.#lastBeg = Math.max(beg, 0)
    if (end < beg || end > this.#end) throw outOfRange(end < beg, this.#end, start)
    const lastWindow = Math.floor((Math.max(end, 1) - 1) / this.#windowSize)
    const firstWindow = Math.floor(Math.max(beg, 0) / this.#windowSize)
    if (lastWindow > this.#lastWindow) {
      this.#lastWindow = lastWindow
      this.#stepWindows.push(lastWindow)
      this.#stepOffsets.push(start)
    }
    const bin = binOfWindows(firstWindow, lastWindow, this.#scheme.depth)
    if (bin !== this.#bin) {
      this.#bin = bin
      this.#runBins.push(bin)
      this.#runStarts.push(start)
    }
    if (mapped) stretch.mapped++
    else stretch.unmapped++
  }

  /**
   * The index of all that was added; `end` is where the last record ended.
   * @throws HtsvaultError POSITION_TOO_LARGE where a record does not fit `depth`; INDEX_TOO_LARGE
   */
  finish(end: VirtualOffset, options: FinishOptions = {}): BinningIndex {
    this.#close(end)
    const { depth = this.#scheme.depth, linear = this.#linear } = options
    const scheme = { minShift: this.#scheme.minShift, depth }
    if (this.#furthestWindow >= 8 ** depth) throw outOfRange(false, schemeEnd(scheme))
    const referenceBins = new Uint32Array(this.#stretches.length + 1)
    const referenceWindows = new Uint32Array(this.#stretches.length + 1)
    const bins = new Uint32Column()
    const loffsets = new Float64Column()
    const binChunks = new Uint32Column()
    const chunkStarts = new Float64Column()
    const chunkEnds = new Float64Column()
    const windows = new Float64Array(linear ? this.#windowCount() : 0)
    let windowAt = 0

    this.#stretches.forEach((stretch, reference) => {
      if (stretch) {
        const runs = this.#runsOf(stretch)
        const merged = mergeSmallBins(narrowRuns(runs, this.#scheme.depth, depth), depth)
        // The pseudo-bin comes last into htslib's table, when the reference is done.
        const keys = new Uint32Array(merged.bins.length + 1)
        keys.set(merged.bins)
        keys[merged.bins.length] = metadataBin(depth)
        for (const i of khashOrder(keys)) {
          const isMetadata = i === merged.bins.length
          const from = isMetadata ? 0 : merged.chunks[i]!
          const to = isMetadata ? 2 : merged.chunks[i + 1]!
          if (from === to) continue
          bins.push(keys[i]!)
          loffsets.push(isMetadata ? 0 : this.#offsetOfWindow(stretch, firstWindow(keys[i]!, depth)))
          binChunks.push(chunkStarts.length)
          if (isMetadata) {
            chunkStarts.push(stretch.start)
            chunkEnds.push(stretch.end)
            chunkStarts.push(stretch.mapped)
            chunkEnds.push(stretch.unmapped)
          } else
            for (let chunk = from; chunk < to; chunk++) {
              chunkStarts.push(merged.starts[chunk]!)
              chunkEnds.push(merged.ends[chunk]!)
            }
        }
        if (linear) windowAt = this.#fillWindows(stretch, windows, windowAt)
      }
      referenceBins[reference + 1] = bins.length
      referenceWindows[reference + 1] = windowAt
    })
    binChunks.push(chunkStarts.length)
    return {
      ...scheme,
      references: this.#stretches.length,
      referenceBins,
      bins: bins.view(),
      loffsets: loffsets.view(),
      binChunks: binChunks.view(),
      chunkStarts: chunkStarts.view(),
      chunkEnds: chunkEnds.view(),
      referenceWindows,
      windows,
      unplaced: this.#unplaced,
    }
  }

  /** A record on another reference than the one before it. */
  #turn(refId: number, start: VirtualOffset): void {
    this.#close(start)
    this.#refId = refId
    if (refId < 0) return
    if (this.#unplaced > 0) throw unsorted('a placed record comes after unplaced ones', start)
    if (this.#stretches[refId]) throw unsorted('the records of a reference are not together', start)
    const firstRun = this.#runBins.length
    const firstStep = this.#stepWindows.length
    this.#stretch = { firstRun, firstStep, start, endRun: 0, endStep: 0, end: start, mapped: 0, unmapped: 0 }
    while (this.#stretches.length <= refId) this.#stretches.push(undefined)
    this.#stretches[refId] = this.#stretch
    this.#lastBeg = -1
    this.#lastWindow = -1
    this.#bin = -1
  }

  #close(end: VirtualOffset): void {
    if (!this.#stretch) return
    this.#stretch.end = end
    this.#stretch.endRun = this.#runBins.length
    this.#stretch.endStep = this.#stepWindows.length
    this.#furthestWindow = Math.max(this.#furthestWindow, this.#lastWindow)
    this.#stretch = undefined
  }

  #runsOf({ firstRun, endRun, end }: Stretch): Runs {
    return {
      bins: this.#runBins.view().subarray(firstRun, endRun),
      starts: this.#runStarts.view().subarray(firstRun, endRun),
      end,
    }
  }

  #windowCount(): number {
    let count = 0
    for (const stretch of this.#stretches) if (stretch) count += this.#stepWindows.at(stretch.endStep - 1) + 1
    if (count > maxWindows)
      throw new HtsvaultError(
        'INDEX_TOO_LARGE',
        'the linear index of the file would be larger than 128 MiB',
        {
          hint: 'index it as CSI, or compare the records with the references in the header',
        },
      )
    return count
  }

  #fillWindows(stretch: Stretch, windows: Float64Array, at: number): number {
    let window = 0
    for (let step = stretch.firstStep; step < stretch.endStep; step++) {
      const next = this.#stepWindows.at(step) + 1
      windows.fill(this.#stepOffsets.at(step), at + window, at + next)
      window = next
    }
    return at + window
  }

  /** What the linear index has, or would have, for a window; 0 past its end. */
  #offsetOfWindow(stretch: Stretch, window: number): number {
    let low = stretch.firstStep
    let high = stretch.endStep
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#stepWindows.at(middle) < window) low = middle + 1
      else high = middle
    }
    return low < stretch.endStep ? this.#stepOffsets.at(low) : 0
  }
}

function unsorted(what: string, start: VirtualOffset): HtsvaultError {
  return new HtsvaultError('UNSORTED', `the records are not sorted: ${what}`, {
    place: { virtualOffset: formatVirtualOffset(start) },
    hint: 'samtools sort (BAM) or bcftools sort (VCF, BCF), then upload the sorted file',
  })
}

function outOfRange(isReversed: boolean, schemeEnd: number, start?: VirtualOffset): HtsvaultError {
  const place = start === undefined ? {} : { virtualOffset: formatVirtualOffset(start) }
  return isReversed
    ? new HtsvaultError('RECORD_ENDS_BEFORE_START', 'a record ends before it starts', { place })
    : new HtsvaultError('POSITION_TOO_LARGE', `a record reaches past ${schemeEnd}, where the index ends`, {
        place,
        hint: 'see whether the header gives the right reference lengths; if it does: htsvault index --format csi FILE',
      })
}
