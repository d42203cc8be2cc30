import type { BinningScheme } from './bins.ts'

/**
 * A BAI, TBI or CSI index: the bins of all references one after another, in the order of the file, and what belongs
 * to them in columns. Reference `r` has the bins `referenceBins[r]` to `referenceBins[r + 1]`, bin `b` the chunks
 * `binChunks[b]` to `binChunks[b + 1]`. Offsets are virtual. The pseudo-bin is among the bins, as it is in the file:
 * its two chunks are the reference's file range, and its counts of mapped and unmapped records.
 */
export interface BinningIndex extends BinningScheme {
  readonly references: number
  readonly referenceBins: Uint32Array
  readonly bins: Uint32Array
  /** Of each bin, CSI's `loffset`; 0 where the index has none. */
  readonly loffsets: Float64Array
  readonly binChunks: Uint32Array
  readonly chunkStarts: Float64Array
  readonly chunkEnds: Float64Array
  /** Reference `r` has the linear index `windows[referenceWindows[r]]` to `…[r + 1]`; none in CSI. */
  readonly referenceWindows: Uint32Array
  readonly windows: Float64Array
  /** Records without a position; undefined where an old index does not tell. */
  readonly unplaced: number | undefined
}
