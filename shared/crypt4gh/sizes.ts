import type { ByteRange } from '#shared/bytes/ByteRange.ts'
import { truncatedSegment } from './errors.ts'

/** A place in the plain bytes of a file, before any edit list, in bytes. */
export type PlainOffset = number & { readonly __brand: 'PlainOffset' }
/** A place in the encrypted body, in bytes from the end of the header. */
export type CipherOffset = number & { readonly __brand: 'CipherOffset' }

export interface PlainRange {
  readonly start: PlainOffset
  readonly end: PlainOffset
}
export interface CipherRange {
  readonly start: CipherOffset
  readonly end: CipherOffset
}
/** Segments `start` (included) to `end` (excluded), the first is 0. */
export type SegmentRange = ByteRange

/** Plain bytes of a segment. */
export const segmentBytes = 65536
export const nonceBytes = 12
export const macBytes = 16
/** What encryption adds to a segment: nonce and MAC. */
export const overheadBytes = nonceBytes + macBytes
/** Bytes of a full segment, encrypted. */
export const cipherSegmentBytes = segmentBytes + overheadBytes

export const plainOffset = (bytes: number): PlainOffset => bytes as PlainOffset
export const cipherOffset = (bytes: number): CipherOffset => bytes as CipherOffset
export const plainRange = (start: number, end: number): PlainRange => ({
  start: start as PlainOffset,
  end: end as PlainOffset,
})

/** Length of the body that `plain` bytes are encrypted to: 28 bytes more for each segment begun (spec §3.4.2). */
export const cipherSize = (plain: number): CipherOffset =>
  (plain + overheadBytes * Math.ceil(plain / segmentBytes)) as CipherOffset

/**
 * Length of what a body of `cipher` bytes decrypts to, before any edit list.
 * @throws HtsvaultError CRYPT4GH_TRUNCATED where a body of that length cannot be.
 */
export function plainSize(cipher: number): PlainOffset {
  const full = Math.floor(cipher / cipherSegmentBytes)
  const rest = cipher - full * cipherSegmentBytes
  if (rest > 0 && rest < overheadBytes) throw truncatedSegment(full, rest)
  return (full * segmentBytes + (rest && rest - overheadBytes)) as PlainOffset
}

/** The segment that a plain byte is in. */
export const segmentOf = (offset: PlainOffset): number => Math.floor(offset / segmentBytes)

/** Where a segment begins in the plain bytes. */
export const plainStart = (segment: number): PlainOffset => (segment * segmentBytes) as PlainOffset

/** Where a segment begins in the body. */
export const cipherStart = (segment: number): CipherOffset => (segment * cipherSegmentBytes) as CipherOffset

/** The segments that a range of plain bytes needs; none for an empty range. */
export const segmentsOf = ({ start, end }: PlainRange): SegmentRange =>
  end > start
    ? { start: segmentOf(start), end: Math.ceil(end / segmentBytes) }
    : { start: segmentOf(start), end: segmentOf(start) }

/** The bytes of these segments in a body of `bodySize` bytes, whose last segment may be short. */
export const cipherRangeOf = (segments: SegmentRange, bodySize: number): CipherRange => ({
  start: Math.min(cipherStart(segments.start), bodySize) as CipherOffset,
  end: Math.min(cipherStart(segments.end), bodySize) as CipherOffset,
})
