import { HtsvaultError } from '#shared/errors.ts'
import { tagEnd } from './tagEnd.ts'

/** Bytes of a record before its name, `block_size` included (SAMv1 §4.2). */
export const fixedSize = 36

/** Where the fields of a record are, from the start of its `block_size`. */
export const fieldAt = {
  refId: 4,
  pos: 8,
  nameSize: 12,
  mappingQuality: 13,
  cigarOps: 16,
  flag: 18,
  bases: 20,
  nextRefId: 24,
  nextPos: 28,
  templateLength: 32,
} as const

export const unmappedFlag = 4

/** CIGAR operations that consume bases of the reference (M, D, N, =, X) and of the read (M, I, S, =, X): one bit each. */
const consumesReference = 0b110001101
const consumesRead = 0b110010011
export const softClip = 4

/**
 * Checks that the lengths in a record's fields fit the record, and its references the header. The record starts at
 * `at` and is `size` bytes, `block_size` included, all of them in `view`.
 * @throws HtsvaultError BAM_RECORD_INVALID
 */
export function checkRecord(view: DataView, at: number, size: number, references: number): void {
  const cigarOps = view.getUint16(at + fieldAt.cigarOps, true)
  const nameSize = view.getUint8(at + fieldAt.nameSize)
  const bases = view.getInt32(at + fieldAt.bases, true)
  if (nameSize < 1) throw badRecord('has a name without an end')
  if (bases < 0) throw badRecord('has a negative number of bases')
  if (fixedSize + nameSize + 4 * cigarOps + ((bases + 1) >>> 1) + bases > size)
    throw badRecord('holds less than its fields announce')
  const refId = view.getInt32(at + fieldAt.refId, true)
  const nextRefId = view.getInt32(at + fieldAt.nextRefId, true)
  if (refId < -1 || refId >= references || nextRefId < -1 || nextRefId >= references)
    throw badRecord(`is on a reference that the header does not have (it has ${references})`)
  if (view.getInt32(at + fieldAt.pos, true) < -1) throw badRecord('has a negative position')
}

/**
 * Whether a checked record's CIGAR may be in the tag CG, because it does not fit 16 bits: what stands in its place is
 * one soft clip of all bases, and a skip (§4.2.2).
 */
export function hasCigarTag(view: DataView, at: number): boolean {
  if (view.getUint16(at + fieldAt.cigarOps, true) === 0) return false
  const first = view.getUint32(at + fixedSize + view.getUint8(at + fieldAt.nameSize), true)
  return (
    (first & 15) === softClip &&
    first >>> 4 === view.getInt32(at + fieldAt.bases, true) &&
    view.getInt32(at + fieldAt.pos, true) >= 0 &&
    view.getInt32(at + fieldAt.refId, true) >= 0
  )
}

/**
 * Where the alignment of a checked record ends on its reference (0-based, excluded), as htslib's `bam_endpos` has
 * it: one that covers no base, and that of an unmapped record, is one base long.
 * @throws HtsvaultError BAM_RECORD_INVALID where the CIGAR and the bases do not agree, or the CG tag is cut off
 */
export function recordEnd(view: DataView, at: number, size: number): number {
  const pos = view.getInt32(at + fieldAt.pos, true)
  const ops = view.getUint16(at + fieldAt.cigarOps, true)
  const unmapped = (view.getUint16(at + fieldAt.flag, true) & unmappedFlag) !== 0
  if (ops === 0) return pos + 1
  let from = at + fixedSize + view.getUint8(at + fieldAt.nameSize)
  let to = from + 4 * ops
  const bases = view.getInt32(at + fieldAt.bases, true)
  if (hasCigarTag(view, at)) {
    const tag = findCigarTag(view, to + ((bases + 1) >>> 1) + bases, at + size)
    if (tag >= 0) {
      const count = view.getUint32(tag, true)
      if (count >= ops && count < 2 ** 29) {
        from = tag + 4
        to = from + 4 * count
      }
    }
  }
  let onReference = 0
  let onRead = 0
  for (; from < to; from += 4) {
    const op = view.getUint32(from, true)
    if ((consumesReference >>> (op & 15)) & 1) onReference += op >>> 4
    if ((consumesRead >>> (op & 15)) & 1) onRead += op >>> 4
  }
  if (unmapped) return pos + 1
  if (bases > 0 && onRead !== bases) throw badRecord('has a CIGAR and a sequence of different lengths')
  return pos + (onReference === 0 ? 1 : onReference)
}

const letterB = 0x42
const letterC = 0x43
const letterG = 0x47
const letterI = 0x49
const letterSmallI = 0x69

/**
 * Where the count of the array CG:B,I stands among a record's tags, -1 where there is none.
 * @throws HtsvaultError BAM_RECORD_INVALID
 */
export function findCigarTag(view: DataView, at: number, end: number): number {
  while (at + 3 <= end) {
    const next = tagEnd(view, at, end)
    if (next < 0) throw badTags()
    if (view.getUint8(at) === letterC && view.getUint8(at + 1) === letterG) {
      const type = view.getUint8(at + 2)
      const element = type === letterB ? view.getUint8(at + 3) : 0
      return element === letterI || element === letterSmallI ? at + 4 : -1
    }
    at = next
  }
  return -1
}

const badTags = () => badRecord('has tags that do not end where it does')

/** `what` follows «a record»; where it is, the caller knows. */
export function badRecord(what: string): HtsvaultError {
  return new HtsvaultError('BAM_RECORD_INVALID', `a record ${what}`, {
    hint: 'see samtools quickcheck and samtools view; write the file anew from its source',
  })
}
