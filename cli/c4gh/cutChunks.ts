import type { ByteRange } from '#shared/bytes/ByteRange.ts'

/** What of a stream of chunks lies in some ranges, ascending and apart; stops reading after the last. */
export async function* cutChunks(
  chunks: AsyncIterable<Uint8Array>,
  ranges: readonly ByteRange[],
): AsyncGenerator<Uint8Array, void> {
  let at = 0
  let next = 0
  if (ranges.length === 0) return
  for await (const chunk of chunks) {
    const chunkEnd = at + chunk.length
    while (next < ranges.length && ranges[next]!.start < chunkEnd) {
      const { start, end } = ranges[next]!
      const part = chunk.subarray(Math.max(0, start - at), Math.min(chunk.length, end - at))
      if (part.length > 0) yield part
      if (end > chunkEnd) break
      next++
    }
    if (next === ranges.length) return
    at = chunkEnd
  }
}
