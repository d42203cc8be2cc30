import { corrupt, tooLarge } from './cramErrors.ts'
import { Cursor } from './Cursor.ts'
import { maxBlocks } from './limits.ts'

export interface SliceHeader {
  /** As in ContainerHeader. */
  readonly refId: number
  /** First position, 1-based. */
  readonly start: number
  /** In bases. */
  readonly span: number
  readonly records: number
  /** Data blocks that follow the slice header. */
  readonly blocks: number
}

/**
 * Reads a slice header block's inflated bytes as far as indexing needs it (CRAMv3 §8.5).
 * @throws HtsvaultError CRAM_CORRUPT, CRAM_TOO_LARGE
 */
export function readSliceHeader(bytes: Uint8Array, major: number): SliceHeader {
  const cursor = new Cursor(bytes)
  const refId = cursor.itf8()
  const start = cursor.itf8()
  const span = cursor.itf8()
  const records = cursor.itf8()
  if (major >= 3) cursor.ltf8()
  else cursor.itf8()
  const blocks = cursor.itf8()
  if (refId < -2) throw corrupt('a slice has a reference that cannot be')
  if (start < 0 || span < 0 || records < 0) throw corrupt('a slice has a negative start, span or count')
  if (blocks < 1) throw corrupt('a slice has no data blocks')
  if (blocks > maxBlocks) throw tooLarge(`a slice has ${blocks} blocks, ${maxBlocks} are allowed`)
  for (let ids = cursor.count('block ids'); ids > 0; ids--) cursor.itf8()
  cursor.itf8()
  cursor.take(16)
  return { refId, start, span, records, blocks }
}
