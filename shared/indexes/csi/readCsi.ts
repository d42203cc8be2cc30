import { readBgzf } from '#shared/bgzf/readBgzf.ts'
import type { BinningIndex } from '../binning/BinningIndex.ts'
import { IndexCursor, invalid, readBinningIndex } from '../binning/readBinningIndex.ts'

/**
 * Reads a CSI file (CSIv1), as it is (BGZF) or inflated, with its auxiliary data.
 * @throws HtsvaultError INDEX_INVALID; what `readBgzf` throws
 */
export function readCsi(file: Uint8Array): { index: BinningIndex; aux: Uint8Array } {
  const bytes = file[0] === 0x1f ? readBgzf(file) : file
  const cursor = new IndexCursor(bytes)
  if (cursor.uint32() !== 0x01495343) throw invalid('is no CSI file', 0)
  const minShift = cursor.uint32()
  const depth = cursor.uint32()
  const auxSize = cursor.count(1)
  const aux = bytes.subarray(cursor.at, cursor.at + auxSize)
  cursor.at += auxSize
  const references = cursor.uint32()
  const head = { minShift, depth, references, loffsets: true, linear: false, at: cursor.at }
  return { index: readBinningIndex(bytes, head), aux }
}
