import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import type { BinningIndex } from '../binning/BinningIndex.ts'
import { writeBinningIndex } from '../binning/writeBinningIndex.ts'
import { writeTabixHeader } from './tabixHeader.ts'

/**
 * A TBI file of a VCF, BGZF-compressed: `names` are those of the index's references.
 * @throws HtsvaultError INDEX_TOO_LARGE
 */
export function writeTbi(index: BinningIndex, names: readonly string[]): Uint8Array {
  const header = writeTabixHeader(names)
  const head = new Uint8Array(8 + header.length)
  head.set([0x54, 0x42, 0x49, 1])
  new DataView(head.buffer).setUint32(4, index.references, true)
  head.set(header, 8)
  return writeBgzf(writeBinningIndex(index, head, { loffsets: false, linear: true }))
}
