import type { VirtualOffset, VirtualRange } from '#shared/bgzf/VirtualOffset.ts'
import type { BinningIndex } from './BinningIndex.ts'
import { binCount, firstBin, firstWindow, metadataBin } from './bins.ts'

/**
 * Where in the file all records on a reference that overlap `beg` to `end` (0-based, half-open) are, in order, with
 * others among them. Empty where the index has none.
 */
export function queryChunks(
  index: BinningIndex,
  reference: number,
  beg: number,
  end: number,
): VirtualRange[] {
  if (reference < 0 || reference >= index.references || end <= beg) return []
  const { minShift, depth, bins, binChunks } = index
  const windowSize = 2 ** minShift
  const from = Math.floor(Math.max(beg, 0) / windowSize)
  const to = Math.min(Math.floor((end - 1) / windowSize), 8 ** depth - 1)
  const lowest = Array.from(
    { length: depth + 1 },
    (_, level) => firstBin(level) + Math.floor(from / 8 ** (depth - level)),
  )
  const highest = Array.from(
    { length: depth + 1 },
    (_, level) => firstBin(level) + Math.floor(to / 8 ** (depth - level)),
  )
  const minimum = lowerBound(index, reference, from)
  const found: { start: number; end: number }[] = []
  for (let bin = index.referenceBins[reference]!; bin < index.referenceBins[reference + 1]!; bin++) {
    const number = bins[bin]!
    if (!lowest.some((low, level) => number >= low && number <= highest[level]!)) continue
    for (let chunk = binChunks[bin]!; chunk < binChunks[bin + 1]!; chunk++) {
      const chunkEnd = index.chunkEnds[chunk]!
      if (chunkEnd > minimum)
        found.push({ start: Math.max(index.chunkStarts[chunk]!, minimum), end: chunkEnd })
    }
  }
  return joined(found)
}

/** Counts of a reference's records, as its pseudo-bin has them; undefined where the index has none. */
export function recordCounts(
  index: BinningIndex,
  reference: number,
): { mapped: number; unmapped: number } | undefined {
  const metadata = metadataBin(index.depth)
  for (let bin = index.referenceBins[reference]!; bin < index.referenceBins[reference + 1]!; bin++) {
    const counts = index.binChunks[bin]! + 1
    if (index.bins[bin] === metadata && index.binChunks[bin + 1]! > counts)
      return { mapped: index.chunkStarts[counts]!, unmapped: index.chunkEnds[counts]! }
  }
  return undefined
}

/** No record that overlaps the window, or one behind it, starts before this offset. */
function lowerBound(index: BinningIndex, reference: number, window: number): number {
  const firstOfAll = index.referenceWindows[reference]!
  const count = index.referenceWindows[reference + 1]! - firstOfAll
  if (count > 0) return index.windows[firstOfAll + Math.min(window, count - 1)]!
  // CSI: a bin's loffset is that of its first window, and they do not fall from window to window.
  let bound = 0
  for (let bin = index.referenceBins[reference]!; bin < index.referenceBins[reference + 1]!; bin++) {
    const number = index.bins[bin]!
    if (
      number < binCount(index.depth) &&
      index.loffsets[bin]! > bound &&
      firstWindow(number, index.depth) <= window
    )
      bound = index.loffsets[bin]!
  }
  return bound
}

function joined(chunks: { start: number; end: number }[]): VirtualRange[] {
  chunks.sort((a, b) => a.start - b.start)
  const out: { start: number; end: number }[] = []
  for (const chunk of chunks) {
    const last = out.at(-1)
    if (last && chunk.start <= last.end) last.end = Math.max(last.end, chunk.end)
    else out.push(chunk)
  }
  return out as { start: VirtualOffset; end: VirtualOffset }[]
}
