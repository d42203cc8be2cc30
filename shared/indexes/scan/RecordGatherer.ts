import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { BinningIndexBuilder } from '../binning/BinningIndexBuilder.ts'
import type { BinningScheme } from '../binning/bins.ts'
import { BlockMapBuilder } from '../blockMap/BlockMapBuilder.ts'
import type { Findings } from './Findings.ts'

/** Takes records to the two indexes of a BAM, VCF or BCF file. */
export class RecordGatherer {
  readonly #binning: BinningIndexBuilder
  readonly #blockMap = new BlockMapBuilder()
  #furthest = 0

  constructor(scheme: BinningScheme) {
    this.#binning = new BinningIndexBuilder({ ...scheme, linear: false })
  }

  /** The next record: on reference `refId` (-1: none), 0-based half-open. @throws HtsvaultError UNSORTED, POSITION_TOO_LARGE */
  add(refId: number, beg: number, end: number, start: VirtualOffset, mapped: boolean): void {
    this.#binning.add(refId, beg, end, start, mapped)
    this.#blockMap.add(refId, beg, end, start)
    if (end > this.#furthest) this.#furthest = end
  }

  /** All that was found, in `records` records up to `end`. */
  findings(records: number, end: VirtualOffset, contigs: readonly string[] = []): Findings {
    return {
      records,
      runs: this.#binning.runs(end),
      units: this.#blockMap.units(),
      contigs,
      furthest: this.#furthest,
      crai: new Uint8Array(0),
      unplaced: 0,
    }
  }
}
