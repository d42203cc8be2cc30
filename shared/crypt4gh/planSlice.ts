import { coalesce } from '#shared/bytes/ByteRange.ts'
import { type EditList, planEditList } from './editList.ts'
import {
  cipherRangeOf,
  type CipherRange,
  cipherSize,
  type PlainRange,
  plainStart,
  segmentsOf,
} from './sizes.ts'

/** What of an encrypted body a reader needs for some ranges of its plain bytes. */
export interface Slice {
  /** Whole segments, ascending; put one after the other they are the new body. */
  readonly body: readonly CipherRange[]
  /** What the new header tells of the new body; absent where the segments hold just what was asked for. */
  readonly editList?: EditList
}

/**
 * Plans the fewest whole segments that hold these plain ranges, and the edit list that cuts them to size, in the
 * form that public readers agree on: the first discard below 65536, an even number of lengths, no zero keeps,
 * neighbours merged, left out where the segments fit.
 *
 * `size`: length of the plain bytes; Infinity where it is not known yet.
 */
export function planSlice(ranges: readonly PlainRange[], size: number): Slice {
  const wanted = coalesce(ranges.map(({ start, end }) => ({ start, end: Math.min(end, size) })))
  const segments = coalesce(wanted.map(range => segmentsOf(range as PlainRange)))
  const body = segments.map(range => cipherRangeOf(range, size === Infinity ? Infinity : cipherSize(size)))

  // Where each wanted range lies once the segments stand one after the other.
  const moved: { start: number; end: number }[] = []
  let base = 0
  let next = 0
  for (const { start, end } of segments) {
    const [from, to] = [plainStart(start), Math.min(plainStart(end), size)]
    for (; next < wanted.length && wanted[next]!.start < to; next++)
      moved.push({ start: wanted[next]!.start - from + base, end: wanted[next]!.end - from + base })
    base += to - from
  }
  const kept = coalesce(moved)
  const whole = kept.length === 0 || (kept[0]!.start === 0 && kept[0]!.end === base)
  return whole ? { body } : { body, editList: planEditList(kept) }
}
