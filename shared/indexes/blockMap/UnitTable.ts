import { formatVirtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { Column } from './Column.ts'
import type { OpenExtent } from './OpenExtent.ts'

/** All records of one reference: they lie together in a sorted file. */
export interface Run {
  /** Index into the file's references; -1: the unplaced records. */
  readonly refId: number
  /** Where its first record begins, 0-based. */
  readonly beg: number
  /** The furthest end of its records, not included. */
  readonly end: number
}

/**
 * The units of a file, or of a stretch of one, by columns: some 30 bytes a unit.
 *
 * A unit's extents are on consecutive runs, the first of which is the run that the unit before it ended with, or
 * the one after that.
 */
export class UnitTable {
  /** Of each unit: the virtual offset at which it begins. */
  readonly starts = new Column(Float64Array)
  /** Of each unit: the run of its first extent. */
  readonly firstRuns = new Column(Uint32Array)
  /** Of each unit: how many extents there are up to its end, itself included. */
  readonly extentsTo = new Column(Uint32Array)
  /** Of each extent: from and to, and how many gaps it has. */
  readonly begs = new Column(Uint32Array)
  readonly ends = new Column(Uint32Array)
  readonly gapCounts = new Column(Uint8Array)
  /** Of each gap: from and to. */
  readonly gapBegs = new Column(Uint32Array)
  readonly gapEnds = new Column(Uint32Array)
  readonly runs: Run[] = []

  get length(): number {
    return this.starts.length
  }

  /** Adds a unit; `extents` are on the runs from `firstRun` on. */
  push(start: number, firstRun: number, extents: readonly OpenExtent[]): void {
    this.starts.push(start)
    this.firstRuns.push(firstRun)
    for (const [i, extent] of extents.entries()) {
      this.begs.push(extent.beg)
      this.ends.push(extent.end)
      this.gapCounts.push(extent.gaps)
      for (let gap = 0; gap < extent.gaps; gap++) {
        this.gapBegs.push(extent.gapBegs[gap]!)
        this.gapEnds.push(extent.gapEnds[gap]!)
      }
      const run = this.runs[firstRun + i]
      const end = Math.max(run?.end ?? 0, extent.end)
      this.runs[firstRun + i] = { refId: extent.refId, beg: run?.beg ?? extent.beg, end }
    }
    this.extentsTo.push(this.begs.length)
  }

  /**
   * Adds the units that lie behind in the file; `idOf` tells how this table calls a reference of that one.
   * @throws HtsvaultError UNSORTED as BlockMapBuilder does
   */
  append(other: UnitTable, idOf: (refId: number) => number): void {
    if (other.length === 0) return
    const last = this.runs.at(-1)
    const ids = other.runs.map(({ refId }) => idOf(refId))
    const goesOn = last !== undefined && last.refId === ids[0]
    const here = new Set(this.runs.map(({ refId }) => refId))
    const again = ids.findIndex((id, run) => here.has(id) && !(goesOn && run === 0))
    if (again >= 0) throw unsorted(other.#firstWith(again))
    if (goesOn && other.begs.get(0) < this.begs.get(this.begs.length - 1)) throw unsorted(other.#firstWith(0))

    const firstRun = this.runs.length - (goesOn ? 1 : 0)
    for (const [i, { beg, end }] of other.runs.entries()) {
      const run = this.runs[firstRun + i]
      this.runs[firstRun + i] = {
        refId: ids[i]!,
        beg: run?.beg ?? beg,
        end: Math.max(run?.end ?? 0, end),
      }
    }
    const extents = this.begs.length
    for (let i = 0; i < other.length; i++) {
      this.starts.push(other.starts.get(i))
      this.firstRuns.push(other.firstRuns.get(i) + firstRun)
      this.extentsTo.push(other.extentsTo.get(i) + extents)
    }
    for (let i = 0; i < other.begs.length; i++) {
      this.begs.push(other.begs.get(i))
      this.ends.push(other.ends.get(i))
      this.gapCounts.push(other.gapCounts.get(i))
    }
    for (let i = 0; i < other.gapBegs.length; i++) {
      this.gapBegs.push(other.gapBegs.get(i))
      this.gapEnds.push(other.gapEnds.get(i))
    }
  }

  /** The start of the first unit with records on a run. */
  #firstWith(run: number): VirtualOffset {
    let unit = 0
    const lastRun = () => {
      const before = unit > 0 ? this.extentsTo.get(unit - 1) : 0
      return this.firstRuns.get(unit) + this.extentsTo.get(unit) - before - 1
    }
    while (lastRun() < run) unit++
    return this.starts.get(unit) as VirtualOffset
  }
}

export const unsorted = (start: VirtualOffset) =>
  new HtsvaultError('UNSORTED', 'the records are not sorted by reference and position', {
    place: { virtualOffset: formatVirtualOffset(start) },
    hint: 'samtools sort (BAM, CRAM) or bcftools sort (VCF, BCF), then upload the sorted file.',
  })
