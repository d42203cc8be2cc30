import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import type { BinningIndex } from '../binning/BinningIndex.ts'
import { writeBinningIndex } from '../binning/writeBinningIndex.ts'

/**
 * A CSI file (CSIv1), BGZF-compressed. `aux` is what a format keeps there: nothing for BAM, tabix's header for VCF.
 * @throws HtsvaultError INDEX_TOO_LARGE
 */
export function writeCsi(index: BinningIndex, aux = new Uint8Array(0)): Uint8Array {
  const head = new Uint8Array(20 + aux.length)
  const view = new DataView(head.buffer)
  head.set([0x43, 0x53, 0x49, 1])
  view.setUint32(4, index.minShift, true)
  view.setUint32(8, index.depth, true)
  view.setUint32(12, aux.length, true)
  head.set(aux, 16)
  view.setUint32(16 + aux.length, index.references, true)
  return writeBgzf(writeBinningIndex(index, head, { loffsets: true, linear: false }))
}
