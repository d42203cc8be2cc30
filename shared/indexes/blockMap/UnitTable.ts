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
}
