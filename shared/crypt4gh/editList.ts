import { coalesce } from '#shared/bytes/ByteRange.ts'
import { type PlainRange, plainRange, segmentBytes } from './sizes.ts'

/**
 * Alternating lengths to discard and to keep, in bytes of the plain text (spec §4.2). Of odd length: the rest after
 * the last discard is kept. Empty: everything is.
 */
export type EditList = readonly number[]

/**
 * The longest list that every public reader takes: the htslib plugin gives wrong bytes beyond it. A caller with a
 * longer one encrypts the slice anew instead.
 */
export const portableEditListLength = 20

/**
 * Whether every public reader takes the list right, of a body of `size` plain bytes: at most 20 lengths, an even number,
 * nothing discarded at the start (the htslib plugin), and no kept range that begins or ends just where a segment does
 * (the Python and the Rust reader), but at the body's own start and end.
 */
export function isPortable(list: EditList, size: number): boolean {
  if (list.length > portableEditListLength || list.length % 2 !== 0 || list[0] !== 0) return false
  return keptRanges(list, size)
    .flatMap(({ start, end }): number[] => [start, end])
    .every(border => border === 0 || border === size || border % segmentBytes !== 0)
}

/** The ranges that a list keeps of `size` plain bytes: ascending, apart from each other, none empty. */
export function keptRanges(list: EditList, size = Infinity): PlainRange[] {
  if (list.length === 0) return size > 0 ? [plainRange(0, size)] : []
  const kept: { start: number; end: number }[] = []
  let at = 0
  for (let i = 0; i < list.length && at < size; i += 2) {
    at += list[i]!
    const end = Math.min(size, at + (list[i + 1] ?? Infinity))
    if (end > at) kept.push({ start: at, end })
    at = end > at ? end : at
  }
  return coalesce(kept) as readonly { start: number; end: number }[] as PlainRange[]
}

/** The list that keeps these ranges: sorted, neighbours merged, no zero keeps, an even number of lengths unless the last range is open-ended. */
export function planEditList(ranges: readonly { readonly start: number; readonly end: number }[]): number[] {
  const list: number[] = []
  let at = 0
  for (const { start, end } of coalesce(ranges)) {
    list.push(start - at)
    if (end !== Infinity) list.push(end - start)
    at = end
  }
  // Nothing is kept: an empty list would keep everything.
  return list.length > 0 ? list : [0, 0]
}

/** How many bytes these ranges hold. */
export const totalBytes = (ranges: readonly { readonly start: number; readonly end: number }[]): number =>
  ranges.reduce((sum, { start, end }) => sum + (end - start), 0)

/**
 * Ranges of what a reader sees through an edit list, as ranges of the plain bytes under it: how a new edit list is
 * composed onto one that is there. In the order of the plain bytes.
 */
export function throughEditList(
  ranges: readonly { readonly start: number; readonly end: number }[],
  kept: readonly PlainRange[],
): PlainRange[] {
  const plain: { start: number; end: number }[] = []
  const wanted = coalesce(ranges)
  let seen = 0
  let next = 0
  for (const { start, end } of kept) {
    const length = end - start
    while (next < wanted.length && wanted[next]!.end <= seen) next++
    for (let i = next; i < wanted.length && wanted[i]!.start < seen + length; i++) {
      const from = Math.max(wanted[i]!.start - seen, 0)
      const to = Math.min(wanted[i]!.end - seen, length)
      plain.push({ start: start + from, end: start + to })
    }
    seen += length
  }
  return coalesce(plain) as readonly { start: number; end: number }[] as PlainRange[]
}
