import { firstBin, levelOf } from './bins.ts'
import type { Runs } from './mergeSmallBins.ts'

/**
 * Runs of a deep scheme as those of a shallower one with the same windows, in which all records lie: the bins of
 * the levels that it lacks are bin 0 there, and runs that then are in one bin become one.
 */
export function narrowRuns(runs: Runs, fromDepth: number, toDepth: number): Runs {
  const levels = fromDepth - toDepth
  if (levels === 0) return runs
  const bins = new Uint32Array(runs.bins.length)
  const starts = new Float64Array(runs.starts.length)
  let count = 0
  for (let run = 0; run < runs.bins.length; run++) {
    const bin = runs.bins[run]!
    const level = levelOf(bin)
    const narrow = level <= levels ? 0 : bin - firstBin(level) + firstBin(level - levels)
    if (count > 0 && bins[count - 1] === narrow) continue
    bins[count] = narrow
    starts[count++] = runs.starts[run]!
  }
  return { bins: bins.subarray(0, count), starts: starts.subarray(0, count), end: runs.end }
}
