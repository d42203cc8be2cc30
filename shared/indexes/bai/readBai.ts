import type { BinningIndex } from '../binning/BinningIndex.ts'
import { baiScheme } from '../binning/bins.ts'
import { IndexCursor, invalid, readBinningIndex } from '../binning/readBinningIndex.ts'

/** Reads a BAI file (SAMv1 §5.2). @throws HtsvaultError INDEX_INVALID */
export function readBai(bytes: Uint8Array): BinningIndex {
  const cursor = new IndexCursor(bytes)
  if (cursor.uint32() !== 0x01494142) throw invalid('is no BAI file', 0)
  const references = cursor.uint32()
  return readBinningIndex(bytes, { ...baiScheme, references, loffsets: false, linear: true, at: cursor.at })
}
