/** Bytes `start` (included) to `end` (excluded) of something. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Sorts ranges and joins those that overlap, touch, or lie at most `gap` bytes apart: a gap that is cheaper to
 * read than to skip. Empty ranges go.
 */
export function coalesce(ranges: readonly ByteRange[], gap = 0): ByteRange[] {
  const sorted = ranges.filter(r => r.end > r.start).sort((a, b) => a.start - b.start)
  const out: { start: number; end: number }[] = []
  for (const range of sorted) {
    const last = out.at(-1)
    if (last && range.start <= last.end + gap) last.end = Math.max(last.end, range.end)
    else out.push({ start: range.start, end: range.end })
  }
  return out
}
