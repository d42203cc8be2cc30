import { HtsvaultError } from '#shared/errors.ts'
import type { BinningIndex } from './BinningIndex.ts'
import { type BinningScheme, firstWindow, metadataBin, schemeEnd } from './bins.ts'
import { Float64Column, Uint32Column } from './Columns.ts'
import { khashOrder } from './khashOrder.ts'
import { type Runs, mergeSmallBins } from './mergeSmallBins.ts'
import { narrowRuns } from './narrowRuns.ts'
import { outOfRange } from './outOfRange.ts'
import type { RunTable, Stretch } from './RunTable.ts'

export interface IndexLayout extends BinningScheme {
  /** Levels of the scheme that the runs were collected in: at least `depth`. */
  readonly runDepth: number
  /** How many references are listed at least; more if records are on others. */
  readonly references: number
  /** Whether the linear index is wanted, as BAI and TBI have it; CSI has `loffset` of each bin instead. */
  readonly linear: boolean
}

/**
 * Windows of a linear index, all references together: 128 MiB of index, for 270 Gb. A few thousand lines of a hostile
 * file, each at the end of a contig of its own, would make any amount.
 */
const maxWindows = 2 ** 24

/**
 * The index of a whole file's runs, its last stretch closed.
 * @throws HtsvaultError POSITION_TOO_LARGE where a record does not fit `depth`; INDEX_TOO_LARGE
 */
export function buildBinningIndex(table: RunTable, layout: IndexLayout): BinningIndex {
  const { minShift, depth, runDepth, linear } = layout
  const scheme = { minShift, depth }
  const byReference = new Map<number, number>()
  let references = layout.references
  for (const [i, { refId, endStep }] of table.stretches.entries()) {
    byReference.set(refId, i)
    if (refId >= references) references = refId + 1
    if (table.stepWindows.at(endStep - 1) >= 8 ** depth) throw outOfRange(false, schemeEnd(scheme))
  }
  const referenceBins = new Uint32Array(references + 1)
  const referenceWindows = new Uint32Array(references + 1)
  const bins = new Uint32Column()
  const loffsets = new Float64Column()
  const binChunks = new Uint32Column()
  const chunkStarts = new Float64Column()
  const chunkEnds = new Float64Column()
  const windows = new Float64Array(linear ? windowCount(table) : 0)
  let windowAt = 0

  for (let reference = 0; reference < references; reference++) {
    const number = byReference.get(reference)
    if (number !== undefined) {
      const stretch = table.stretches[number]!
      const { endRun = 0, endStep: firstStep = 0 }: Partial<Stretch> = table.stretches[number - 1] ?? {}
      const runs = narrowRuns(runsOf(table, endRun, stretch), runDepth, depth)
      const merged = mergeSmallBins(runs, depth)
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
        const window = firstWindow(keys[i]!, depth)
        loffsets.push(isMetadata ? 0 : offsetOfWindow(table, firstStep, stretch.endStep, window))
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
      if (linear) windowAt = fillWindows(table, firstStep, stretch.endStep, windows, windowAt)
    }
    referenceBins[reference + 1] = bins.length
    referenceWindows[reference + 1] = windowAt
  }
  binChunks.push(chunkStarts.length)
  return {
    ...scheme,
    references,
    referenceBins,
    bins: bins.view(),
    loffsets: loffsets.view(),
    binChunks: binChunks.view(),
    chunkStarts: chunkStarts.view(),
    chunkEnds: chunkEnds.view(),
    referenceWindows,
    windows,
    unplaced: table.unplaced,
  }
}

const runsOf = (table: RunTable, firstRun: number, { endRun, end }: Stretch): Runs => ({
  bins: table.runBins.view().subarray(firstRun, endRun),
  starts: table.runStarts.view().subarray(firstRun, endRun),
  end,
})

function windowCount(table: RunTable): number {
  let count = 0
  for (const { endStep } of table.stretches) count += table.stepWindows.at(endStep - 1) + 1
  if (count > maxWindows)
    throw new HtsvaultError('INDEX_TOO_LARGE', 'the linear index of the file would be larger than 128 MiB', {
      hint: 'index it as CSI, or compare the records with the references in the header',
    })
  return count
}

function fillWindows(table: RunTable, first: number, end: number, windows: Float64Array, at: number): number {
  let window = 0
  for (let step = first; step < end; step++) {
    const next = table.stepWindows.at(step) + 1
    windows.fill(table.stepOffsets.at(step), at + window, at + next)
    window = next
  }
  return at + window
}

/** What the linear index has, or would have, for a window, of the steps `first` to `end`; 0 past its end. */
function offsetOfWindow(table: RunTable, first: number, end: number, window: number): number {
  let low = first
  let high = end
  while (low < high) {
    const middle = (low + high) >>> 1
    if (table.stepWindows.at(middle) < window) low = middle + 1
    else high = middle
  }
  return low < end ? table.stepOffsets.at(low) : 0
}
