import { formatVirtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { Float64Column, Uint32Column } from './Columns.ts'

/** What the records of one reference left, which lie together. Its runs and steps end where the next stretch's begin. */
export interface Stretch {
  readonly refId: number
  readonly start: VirtualOffset
  /** Where the first record begins (-1 as it stands), and the last one (0 at least), 0-based. */
  readonly firstBeg: number
  lastBeg: number
  end: VirtualOffset
  endRun: number
  endStep: number
  mapped: number
  unmapped: number
}

/**
 * What a sorted file, or a stretch of one, leaves of its records for a binning index: a number pair for each run of
 * records in one bin, and one for each record that reaches a window of the linear index for the first time.
 */
export class RunTable {
  /** In the order of the file. */
  readonly stretches: Stretch[] = []
  readonly runBins = new Uint32Column()
  readonly runStarts = new Float64Column()
  /** The linear index as steps: the windows after the step before, up to this one, have this offset. */
  readonly stepWindows = new Uint32Column()
  readonly stepOffsets = new Float64Column()
  /** Records without a position; none with one comes after them. */
  unplaced = 0
  readonly #seen = new Set<number>()

  /** The stretch that is open, or the last one where nothing but unplaced records came after it. */
  get last(): Stretch | undefined {
    return this.stretches.at(-1)
  }

  /** Opens a stretch. @throws HtsvaultError UNSORTED */
  open(refId: number, firstBeg: number, start: VirtualOffset): Stretch {
    if (this.unplaced > 0) throw unsorted('a placed record comes after unplaced ones', start)
    if (this.#seen.has(refId)) throw unsorted('the records of a reference are not together', start)
    this.#seen.add(refId)
    const { length: endRun } = this.runBins
    const { length: endStep } = this.stepWindows
    const lastBeg = -1
    const stretch = {
      refId,
      start,
      firstBeg,
      lastBeg,
      end: start,
      endRun,
      endStep,
      mapped: 0,
      unmapped: 0,
    }
    this.stretches.push(stretch)
    return stretch
  }

  /** Says where the last stretch ends, unless unplaced records told already. */
  close(end: VirtualOffset): void {
    const last = this.last
    if (!last || this.unplaced > 0) return
    last.end = end
    last.endRun = this.runBins.length
    last.endStep = this.stepWindows.length
  }

  /**
   * Adds what lies behind in the file, from `start` on; `idOf` tells how this table calls a reference of that one.
   * @throws HtsvaultError UNSORTED, with the place, `record` counted from the first of the other table
   */
  append(other: RunTable, start: VirtualOffset, idOf: (refId: number) => number): void {
    const before = this.last
    let run = 0
    let step = 0
    let records = 0
    if (other.stretches.length > 0 || other.unplaced > 0) this.close(start)
    for (const [i, stretch] of other.stretches.entries()) {
      const refId = idOf(stretch.refId)
      let into = before
      let lastBin = -1
      let lastWindow = -1
      if (i > 0 || before?.refId !== refId || this.unplaced > 0)
        into = placing(records, () => this.open(refId, stretch.firstBeg, stretch.start))
      else if (stretch.firstBeg < before.lastBeg)
        throw unsorted('a record starts before the one that precedes it', start).at({ record: 1 })
      else {
        lastBin = this.runBins.length > 0 ? this.runBins.at(this.runBins.length - 1) : -1
        lastWindow = this.stepWindows.at(this.stepWindows.length - 1)
      }
      for (; run < stretch.endRun; run++) {
        const bin = other.runBins.at(run)
        // The first run may go on with the last one here.
        if (bin === lastBin) {
          lastBin = -1
          continue
        }
        lastBin = -1
        this.runBins.push(bin)
        this.runStarts.push(other.runStarts.at(run))
      }
      for (; step < stretch.endStep; step++) {
        const window = other.stepWindows.at(step)
        if (window <= lastWindow) continue
        this.stepWindows.push(window)
        this.stepOffsets.push(other.stepOffsets.at(step))
      }
      into!.lastBeg = stretch.lastBeg
      into!.mapped += stretch.mapped
      into!.unmapped += stretch.unmapped
      this.close(stretch.end)
      records += stretch.mapped + stretch.unmapped
    }
    this.unplaced += other.unplaced
  }
}

function placing<T>(records: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof HtsvaultError ? error.at({ record: records + 1 }) : error
  }
}

export function unsorted(what: string, start: VirtualOffset): HtsvaultError {
  return new HtsvaultError('UNSORTED', `the records are not sorted: ${what}`, {
    place: { virtualOffset: formatVirtualOffset(start) },
    hint: 'samtools sort (BAM) or bcftools sort (VCF, BCF), then upload the sorted file',
  })
}
