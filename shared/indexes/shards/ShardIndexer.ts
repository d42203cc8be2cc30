import type { ShardResult } from './ShardResult.ts'

/**
 * Indexes one stretch of a file as its bytes go by, from its first one on and beyond its end, as far as its last
 * record reaches. Memory: what the stretch leaves for the indexes, and one block or container; while it looks for
 * its first record, up to 32 MiB.
 */
export interface ShardIndexer {
  /** Offset in the file of the first byte that it wants. */
  readonly from: number
  /** Takes the next bytes, and keeps no reference to them; false where no more are wanted. */
  push(chunk: Uint8Array): boolean
  /** The result; where more bytes were wanted, the file has ended. */
  finish(): ShardResult
}
