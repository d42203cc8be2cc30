import { type ByteRange, coalesce } from '#shared/bytes/ByteRange.ts'
import { type ByteSource, checkRange } from '#shared/bytes/ByteSource.ts'
import type { Backend } from './Backend.ts'
import { batchSegmentsOf } from './body/batchBuffer.ts'
import { Decryptor } from './body/Decryptor.ts'
import { SegmentOpener } from './body/SegmentOpener.ts'
import { keptRanges, throughEditList, totalBytes } from './editList.ts'
import type { OpenedHeader } from './header/openHeader.ts'
import {
  cipherRangeOf,
  cipherSegmentBytes,
  type PlainRange,
  plainRange,
  plainSize,
  segmentsOf,
} from './sizes.ts'

/** Unwanted bytes that are cheaper to read than to skip by a second request. */
const gapBytes = 4 * cipherSegmentBytes

/**
 * The plain bytes of an encrypted file as a ByteSource, the edit list applied. Only the segments that hold what is
 * asked for are read and opened; a `read` is one read of the storage unless an edit list tears it apart.
 *
 * `size` is what the file's length says: a file cut at a segment's border is not told from a shorter one, so its
 * length is to be known from elsewhere.
 * @throws HtsvaultError CRYPT4GH_TRUNCATED where the body's length cannot be; from `read` and `stream` as Decryptor.
 */
export function openCrypt4ghSource(
  source: ByteSource,
  { dataKeys, editList }: OpenedHeader,
  { headerLength }: { readonly headerLength: number },
  backend: Backend,
): ByteSource {
  const bodySize = source.size - headerLength
  const plainLength = plainSize(bodySize)
  const kept = editList ? keptRanges(editList, plainLength) : undefined
  const size = kept ? totalBytes(kept) : plainLength
  const opener = new SegmentOpener(dataKeys, backend)

  const planParts = (start: number, end: number): Part[] => {
    const plain = kept ? throughEditList([{ start, end }], kept) : [plainRange(start, end)]
    return partsOf(plain, bodySize, headerLength)
  }
  const decryptorOf = ({ firstSegment, keep, bytes }: Part, reuseOutput: boolean) => {
    const batchSegments = batchSegmentsOf(Math.ceil((bytes.end - bytes.start) / cipherSegmentBytes))
    return new Decryptor([], backend, { opener, keep, firstSegment, reuseOutput, batchSegments })
  }

  return {
    size,
    async read(start, end) {
      checkRange(start, end, size)
      const plain = new Uint8Array(end - start)
      let at = 0
      for (const part of planParts(start, end)) {
        const cipher = await source.read(part.bytes.start, part.bytes.end)
        const decryptor = decryptorOf(part, true)
        for (const step of [decryptor.push(cipher), decryptor.finish()])
          for (const batch of step) {
            plain.set(batch, at)
            at += batch.length
          }
      }
      return plain
    },
    async *stream(start, end, { reuse = false } = {}) {
      checkRange(start, end, size)
      for (const part of planParts(start, end)) {
        const decryptor = decryptorOf(part, reuse)
        for await (const chunk of source.stream(part.bytes.start, part.bytes.end, { reuse: true }))
          yield* decryptor.push(chunk)
        yield* decryptor.finish()
      }
    },
  }
}

/** One read of the storage: whole segments, and what of them is wanted. */
interface Part {
  readonly bytes: ByteRange
  readonly firstSegment: number
  readonly keep: readonly PlainRange[]
}

function partsOf(wanted: readonly PlainRange[], bodySize: number, headerLength: number): Part[] {
  const ranges = wanted.filter(({ start, end }) => end > start)
  const cipherRanges = ranges.map(range => cipherRangeOf(segmentsOf(range), bodySize))
  let next = 0
  return coalesce(cipherRanges, gapBytes).map(({ start, end }) => {
    // They ascend: an edit list may have millions of them.
    const first = next
    while (next < ranges.length && cipherRanges[next]!.end <= end) next++
    return {
      bytes: { start: start + headerLength, end: end + headerLength },
      firstSegment: start / cipherSegmentBytes,
      keep: ranges.slice(first, next),
    }
  })
}
