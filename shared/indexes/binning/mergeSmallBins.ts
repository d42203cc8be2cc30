import { blockOf, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { levelOf, parentOf } from './bins.ts'

/** Runs of records in one bin: `bins[i]` from `starts[i]` to `starts[i + 1]`, the last one to `end`. */
export interface Runs {
  readonly bins: Uint32Array
  readonly starts: Float64Array
  readonly end: VirtualOffset
}

/** The bins of one reference, in the order in which they were first used, and which chunks are left to each. */
export interface MergedBins {
  readonly bins: Uint32Array
  /** Bin `i` has the chunks `chunks[i]` to `chunks[i + 1]`; a bin that went into its parent has none. */
  readonly chunks: Uint32Array
  readonly starts: Float64Array
  /** Only as long as `chunks` says. */
  readonly ends: Float64Array
}

/** A bin whose chunks span fewer compressed bytes than this goes into its parent. */
const smallBinBytes = 65536

/**
 * Turns runs into chunks of bins as htslib does: from the smallest bins upwards, one that spans less than 64 KiB of
 * the file joins its parent where that has records of its own; then chunks that meet in one BGZF block become one.
 */
export function mergeSmallBins(runs: Runs, depth: number): MergedBins {
  const { bins, runBin } = numberBins(runs.bins)
  const into = parents(bins, runBin, runs, depth)
  return chunksOf(bins, into, runBin, runs)
}

/** The distinct bins, and for each run the number of its bin among them. */
function numberBins(runBins: Uint32Array): { bins: Uint32Array; runBin: Uint32Array } {
  const numbers = new Map<number, number>()
  const runBin = new Uint32Array(runBins.length)
  for (let run = 0; run < runBins.length; run++) {
    const bin = runBins[run]!
    let number = numbers.get(bin)
    if (number === undefined) numbers.set(bin, (number = numbers.size))
    runBin[run] = number
  }
  return { bins: Uint32Array.from(numbers.keys()), runBin }
}

/** For each bin the one that has its chunks in the end: itself, or an ancestor. */
function parents(bins: Uint32Array, runBin: Uint32Array, runs: Runs, depth: number): Uint32Array {
  const firstBlock = new Float64Array(bins.length).fill(Infinity)
  const lastBlock = new Float64Array(bins.length)
  for (let run = 0; run < runBin.length; run++) {
    const bin = runBin[run]!
    const start = blockOf(runs.starts[run] as VirtualOffset)
    if (start < firstBlock[bin]!) firstBlock[bin] = start
    lastBlock[bin] = blockOf(endOf(runs, run))
  }
  const number = new Map<number, number>()
  const byLevel: number[][] = Array.from({ length: depth + 1 }, () => [])
  bins.forEach((bin, i) => {
    number.set(bin, i)
    byLevel[levelOf(bin)]!.push(i)
  })
  const into = Uint32Array.from(bins.keys())
  for (let level = depth; level > 0; level--)
    for (const i of byLevel[level]!) {
      if (lastBlock[i]! - firstBlock[i]! >= smallBinBytes) continue
      const parent = number.get(parentOf(bins[i]!))
      if (parent === undefined) continue
      into[i] = parent
      firstBlock[parent] = Math.min(firstBlock[parent]!, firstBlock[i]!)
      lastBlock[parent] = Math.max(lastBlock[parent]!, lastBlock[i]!)
    }
  // Ancestors first: what they went into is then known.
  for (const level of byLevel) for (const i of level) into[i] = into[into[i]!]!
  return into
}

function chunksOf(bins: Uint32Array, into: Uint32Array, runBin: Uint32Array, runs: Runs): MergedBins {
  // Runs are in the order of the file, and stay so within each bin: nothing is to be sorted.
  const chunks = new Uint32Array(bins.length + 1)
  const blockOfLast = new Float64Array(bins.length).fill(-1)
  for (let run = 0; run < runBin.length; run++) {
    const bin = into[runBin[run]!]!
    if (blockOf(runs.starts[run] as VirtualOffset) > blockOfLast[bin]!) chunks[bin + 1]!++
    blockOfLast[bin] = blockOf(endOf(runs, run))
  }
  for (let bin = 0; bin < bins.length; bin++) chunks[bin + 1]! += chunks[bin]!
  const starts = new Float64Array(chunks[bins.length]!)
  const ends = new Float64Array(starts.length)
  const next = chunks.slice(0, bins.length)
  blockOfLast.fill(-1)
  for (let run = 0; run < runBin.length; run++) {
    const bin = into[runBin[run]!]!
    const start = runs.starts[run]!
    if (blockOf(start as VirtualOffset) > blockOfLast[bin]!) starts[next[bin]!++] = start
    const end = endOf(runs, run)
    ends[next[bin]! - 1] = end
    blockOfLast[bin] = blockOf(end)
  }
  return { bins, chunks, starts, ends }
}

const endOf = (runs: Runs, run: number): VirtualOffset =>
  (run + 1 < runs.starts.length ? runs.starts[run + 1]! : runs.end) as VirtualOffset
