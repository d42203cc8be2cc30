import { coalesce, type ByteRange } from '#shared/bytes/ByteRange.ts'
import type { PageEntry } from './Page.ts'
import type { Region } from './Region.ts'
import type { Run } from './UnitTable.ts'

/** The last position that a map holds: it stands for those beyond as well. */
const lastPosition = 2 ** 32 - 2

/** Stretches of one run: sorted, apart from each other, none empty. */
type Stretches = readonly ByteRange[]

/** How a page's units stand to a query: none overlaps, all do, or it takes a look inside. */
export type Coverage = 'none' | 'some' | 'all'

/** The regions of a query, by runs of the file, so that a unit or page is held against them quickly. */
export class RegionSet {
  readonly #runs: readonly Run[]
  readonly #byRun = new Map<number, Stretches>()
  /** The runs that are asked for, sorted. */
  readonly #asked: readonly number[]

  /** `regions` without 'everything'. Those of references without records, and empty ones, go. */
  constructor(regions: readonly Exclude<Region, 'everything'>[], runs: readonly Run[]) {
    this.#runs = runs
    const runOf = new Map(runs.map((run, i) => [run.refId, i]))
    const gathered = new Map<number, ByteRange[]>()
    for (const region of regions) {
      const { refId, start, end } = region === 'unplaced' ? { refId: -1, start: 0, end: 1 } : region
      const index = runOf.get(refId)
      if (index === undefined || !(start < end)) continue
      const clipped = { start: Math.min(start, lastPosition), end: Math.min(end, lastPosition + 1) }
      const run = runs[index]!
      if (clipped.start >= run.end || clipped.end <= run.beg) continue
      const found = gathered.get(index)
      if (found) found.push(clipped)
      else gathered.set(index, [clipped])
    }
    for (const [run, stretches] of gathered) this.#byRun.set(run, coalesce(stretches))
    this.#asked = [...gathered.keys()].sort((a, b) => a - b)
  }

  get isEmpty(): boolean {
    return this.#asked.length === 0
  }

  /** Whether records from `beg` to `end` of a run, but for what lies in a gap, overlap a region. */
  overlaps(
    run: number,
    beg: number,
    end: number,
    gapBegs: readonly number[] = [],
    gapEnds: readonly number[] = [],
    gapFrom = 0,
    gapTo = 0,
  ): boolean {
    const stretches = this.#byRun.get(run)
    if (!stretches) return false
    let gap = gapFrom
    for (let i = firstEndingAfter(stretches, beg); i < stretches.length; i++) {
      const { start, end: stop } = stretches[i]!
      if (start >= end) return false
      const from = Math.max(start, beg)
      while (gap < gapTo && gapEnds[gap]! <= from) gap++
      const inGap = gap < gapTo && gapBegs[gap]! <= from && Math.min(stop, end) <= gapEnds[gap]!
      if (!inGap) return true
    }
    return false
  }

  coverageOf({ firstRun, lastRun, firstBeg, firstEnd, lastEnd }: PageEntry): Coverage {
    const from = firstAtLeast(this.#asked, firstRun)
    const to = firstAtLeast(this.#asked, lastRun + 1)
    if (from === to) return 'none'
    const begOf = (run: number) => (run === firstRun ? firstBeg : this.#runs[run]!.beg)
    const endOf = (run: number) =>
      run === firstRun ? firstEnd : run === lastRun ? lastEnd : this.#runs[run]!.end

    const asked = this.#asked.slice(from, to)
    if (to - from === lastRun - firstRun + 1 && asked.every(run => this.#covers(run, begOf(run), endOf(run))))
      return 'all'
    return asked.some(run => this.overlaps(run, begOf(run), endOf(run))) ? 'some' : 'none'
  }

  /** Whether one region reaches over all from `beg` to `end`. */
  #covers(run: number, beg: number, end: number): boolean {
    const stretches = this.#byRun.get(run)!
    const stretch = stretches[firstEndingAfter(stretches, beg)]
    return stretch !== undefined && stretch.start <= beg && stretch.end >= end
  }
}

function firstEndingAfter(stretches: Stretches, position: number): number {
  let low = 0
  let high = stretches.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (stretches[middle]!.end > position) high = middle
    else low = middle + 1
  }
  return low
}

function firstAtLeast(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! >= value) high = middle
    else low = middle + 1
  }
  return low
}
