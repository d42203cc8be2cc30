import type { BinningIndex } from '../binning/BinningIndex.ts'
import { writeBinningIndex } from '../binning/writeBinningIndex.ts'

/** A BAI file (SAMv1 §5.2) of an index that was built with the scheme of BAI. @throws HtsvaultError INDEX_TOO_LARGE */
export function writeBai(index: BinningIndex): Uint8Array {
  const head = new Uint8Array(8)
  head.set([0x42, 0x41, 0x49, 1])
  new DataView(head.buffer).setUint32(4, index.references, true)
  return writeBinningIndex(index, head, { loffsets: false, linear: true })
}
