import { sealedSegment, truncatedSegment } from '../errors.ts'
import { cipherSegmentBytes, overheadBytes, segmentBytes } from '../sizes.ts'
import type { SegmentOpener } from './SegmentOpener.ts'

/**
 * Decrypts whole segments in one piece into `plain`, which has room for them; gives how many bytes it wrote.
 * `firstSegment`: number of the first in its file.
 * @throws HtsvaultError CRYPT4GH_SEGMENT_CORRUPT, CRYPT4GH_TRUNCATED, CRYPT4GH_TRUNCATED_OR_CORRUPT.
 */
export function openSegments(
  body: Uint8Array,
  plain: Uint8Array,
  opener: SegmentOpener,
  firstSegment: number,
): number {
  let filled = 0
  for (let at = 0; at < body.length; at += cipherSegmentBytes) {
    const sealed = body.subarray(at, at + cipherSegmentBytes)
    const segment = firstSegment + at / cipherSegmentBytes
    const length = sealed.length - overheadBytes
    if (length < 0) throw truncatedSegment(segment, sealed.length)
    if (!opener.open(sealed, plain.subarray(filled, filled + length)))
      throw sealedSegment(segment, sealed.length, length < segmentBytes)
    filled += length
  }
  return filled
}
