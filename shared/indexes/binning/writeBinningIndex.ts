import { HtsvaultError } from '#shared/errors.ts'
import type { BinningIndex } from './BinningIndex.ts'

export interface BinningLayout {
  /** Whether each bin has its `loffset`: CSI. */
  readonly loffsets: boolean
  /** Whether each reference has its linear index: BAI, TBI. */
  readonly linear: boolean
}

/** The largest index that is written, in bytes. */
const maxIndexSize = 2 ** 31 - 1

/**
 * An index as bytes: `head` (what its format has before the first reference, the number of references included),
 * the references, and the count of unplaced records. Not compressed.
 * @throws HtsvaultError INDEX_TOO_LARGE
 */
export function writeBinningIndex(
  index: BinningIndex,
  head: Uint8Array,
  { loffsets, linear }: BinningLayout,
): Uint8Array {
  const { references, bins, binChunks, chunkStarts, windows } = index
  const binBytes = loffsets ? 16 : 8
  const perReference = linear ? 8 : 4
  const size =
    head.length +
    references * perReference +
    bins.length * binBytes +
    chunkStarts.length * 16 +
    (linear ? windows.length * 8 : 0) +
    (index.unplaced === undefined ? 0 : 8)
  if (size > maxIndexSize)
    throw new HtsvaultError('INDEX_TOO_LARGE', `the index of the file would be ${size} bytes`)

  const out = new Uint8Array(size)
  const view = new DataView(out.buffer)
  let at = head.length
  const uint32 = (value: number) => {
    view.setUint32(at, value, true)
    at += 4
  }
  const uint64 = (value: number) => {
    uint32(value)
    uint32(value / 2 ** 32)
  }
  out.set(head)
  for (let reference = 0; reference < references; reference++) {
    const endBin = index.referenceBins[reference + 1]!
    uint32(endBin - index.referenceBins[reference]!)
    for (let bin = index.referenceBins[reference]!; bin < endBin; bin++) {
      uint32(bins[bin]!)
      if (loffsets) uint64(index.loffsets[bin]!)
      uint32(binChunks[bin + 1]! - binChunks[bin]!)
      for (let chunk = binChunks[bin]!; chunk < binChunks[bin + 1]!; chunk++) {
        uint64(chunkStarts[chunk]!)
        uint64(index.chunkEnds[chunk]!)
      }
    }
    if (!linear) continue
    const endWindow = index.referenceWindows[reference + 1]!
    uint32(endWindow - index.referenceWindows[reference]!)
    for (let window = index.referenceWindows[reference]!; window < endWindow; window++)
      uint64(windows[window]!)
  }
  if (index.unplaced !== undefined) uint64(index.unplaced)
  return out
}
