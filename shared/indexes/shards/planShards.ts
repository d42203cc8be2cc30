import type { ByteRange } from '#shared/bytes/ByteRange.ts'

export interface ShardPlan {
  /** How many shards, at most. */
  readonly count?: number
  /** How long a shard is at least, in bytes (but for the last one). */
  readonly minBytes?: number
  /** Cuts lie at multiples of this many bytes: 65536 where shards are to be whole Crypt4GH segments. */
  readonly granule?: number
}

/**
 * Cuts a file of `size` bytes into ranges of about the same length, which follow each other: one at least. Any cuts
 * give the same index; where they lie is a matter of time and memory alone.
 */
export function planShards(size: number, { count = 1, minBytes = 1, granule = 1 }: ShardPlan): ByteRange[] {
  const wanted = Math.max(1, Math.min(count, Math.floor(size / Math.max(minBytes, granule))))
  const length = Math.max(granule, Math.ceil(size / wanted / granule) * granule)
  const ranges: ByteRange[] = []
  for (let start = 0; start < size; start += length)
    ranges.push({ start, end: Math.min(start + length, size) })
  return ranges.length > 0 ? ranges : [{ start: 0, end: size }]
}
