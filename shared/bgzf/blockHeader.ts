import { HtsvaultError } from '#shared/errors.ts'

/** The largest BGZF block, compressed or inflated, in bytes (SAMv1 §4.1). */
export const maxBlockSize = 65536

/** The empty block that ends a BGZF file (SAMv1 §4.1.2), 28 bytes. */
export const eofMarker: Uint8Array = Uint8Array.from([
  0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
])

/** Bytes of a block header up to its extra fields. */
export const fixedHeaderSize = 12
/** CRC32 and ISIZE. */
export const trailerSize = 8

/**
 * Size in bytes of the BGZF block whose header starts at `at`, or 0 where `bytes` ends before that can be told.
 * Extra gzip subfields other than BC are passed over (SAMv1 §4.1).
 * @throws HtsvaultError NOT_BGZF for a file (`offset` 0) that is something else; BGZF_BAD_HEADER further on.
 */
export function readBlockSize(bytes: Uint8Array, at: number, end: number, offset: number): number {
  const got = end - at
  for (let i = 0; i < Math.min(got, 4); i++)
    if (i === 3 ? (bytes[at + 3]! & 4) === 0 : bytes[at + i] !== eofMarker[i])
      throw notABlock(offset, i === 3)
  if (got < fixedHeaderSize) return 0
  const extraEnd = at + fixedHeaderSize + uint16(bytes, at + 10)
  for (let field = at + fixedHeaderSize; field + 4 <= extraEnd;) {
    if (field + 4 > end) return 0
    const length = uint16(bytes, field + 2)
    if (bytes[field] === 0x42 && bytes[field + 1] === 0x43 && length === 2 && field + 6 <= extraEnd) {
      if (field + 6 > end) return 0
      const size = uint16(bytes, field + 4) + 1
      if (size < extraEnd - at + trailerSize)
        throw new HtsvaultError(
          'BGZF_BAD_HEADER',
          `a BGZF block says it is ${size} bytes, too few to be one`,
          {
            place: { offset },
            hint: damaged,
          },
        )
      return size
    }
    field += 4 + length
  }
  throw notABlock(offset, true)
}

export const damaged = 'the file is damaged: compare its checksum with the original and upload it again'

const uint16 = (bytes: Uint8Array, at: number) => bytes[at]! | (bytes[at + 1]! << 8)

function notABlock(offset: number, isGzip: boolean): HtsvaultError {
  if (offset === 0)
    return new HtsvaultError(
      'NOT_BGZF',
      isGzip ? 'the file is plain gzip, not BGZF' : 'the file is not BGZF-compressed',
      {
        place: { offset },
        hint: isGzip
          ? 'gunzip it, then compress it with bgzip'
          : 'compress it with bgzip (text) or write it with samtools view -b or bcftools view -Ob',
      },
    )
  return new HtsvaultError('BGZF_BAD_HEADER', 'a BGZF block was expected here, something else was found', {
    place: { offset },
    hint: damaged,
  })
}
