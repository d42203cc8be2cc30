import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import type { BinningIndex } from '../binning/BinningIndex.ts'
import { baiScheme } from '../binning/bins.ts'
import { IndexCursor, invalid, readBinningIndex } from '../binning/readBinningIndex.ts'
import { readTabixHeader } from './tabixHeader.ts'

/**
 * Reads the TBI file of a VCF, as it is (BGZF) or inflated, with the names of its references.
 * @throws HtsvaultError INDEX_INVALID; what `readBgzf` throws
 */
export function readTbi(file: Uint8Array): { index: BinningIndex; names: string[] } {
  const bytes = file[0] === 0x1f ? readBgzf(file) : file
  const cursor = new IndexCursor(bytes)
  if (cursor.uint32() !== 0x01494254) throw invalid('is no TBI file', 0)
  const references = cursor.uint32()
  const names = readTabixHeader(bytes, cursor)
  if (names.length !== references) throw invalid('names other references than it has', cursor.at)
  const head = { ...baiScheme, references, loffsets: false, linear: true, at: cursor.at }
  return { index: readBinningIndex(bytes, head), names }
}
