import { coalesce, type ByteRange } from '#shared/bytes/ByteRange.ts'
import type { Crai } from './readCrai.ts'

/**
 * Plans the containers that may hold records of a region: `start` to `end` on reference `refId`, 0-based half-open;
 * with `refId` -1 the unplaced records, whatever the positions. `dataEnd` is the offset of the file's EOF container.
 *
 * A container reaches to the next one that the index names; slices of several references name theirs many times.
 */
export function queryCrai(
  crai: Crai,
  refId: number,
  start: number,
  end: number,
  dataEnd: number,
): ByteRange[] {
  const borders = Float64Array.from(new Set(crai.containers)).sort()
  const found: ByteRange[] = []
  for (let i = 0; i < crai.length; i++) {
    if (crai.refIds[i] !== refId) continue
    // A slice without a span still lies on its position.
    const first = crai.starts[i]! - 1
    const overlaps = first < end && first + Math.max(crai.spans[i]!, 1) > start
    if (refId === -1 || overlaps) {
      const container = crai.containers[i]!
      found.push({ start: container, end: after(borders, container) ?? dataEnd })
    }
  }
  return coalesce(found)
}

/** The border that follows one of the borders. */
function after(borders: Float64Array, border: number): number | undefined {
  let low = 0
  let high = borders.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (borders[middle]! <= border) low = middle + 1
    else high = middle
  }
  return borders[low]
}
