import { HtsvaultError } from '#shared/errors.ts'

export interface StreamOptions {
  /** A chunk holds only until the next is asked for: less memory, for callers that are done with it by then. */
  readonly reuse?: boolean
}

/** Random access to the bytes of one immutable object, wherever it is kept. */
export interface ByteSource {
  /** Length in bytes. */
  readonly size: number
  /**
   * Exactly the bytes `start` (included) to `end` (excluded).
   * @throws HtsvaultError SHORT_READ where the store gave fewer; RANGE_OUTSIDE_FILE past the end.
   */
  read(start: number, end: number): Promise<Uint8Array>
  /** The same range chunk by chunk, for ranges that are not to be held whole. */
  stream(start: number, end: number, options?: StreamOptions): AsyncIterable<Uint8Array>
}

/** A ByteSource over bytes in memory. */
export function memorySource(bytes: Uint8Array, chunkBytes = 1 << 20): ByteSource {
  const check = (start: number, end: number) => checkRange(start, end, bytes.length)
  return {
    size: bytes.length,
    async read(start, end) {
      check(start, end)
      return bytes.subarray(start, end)
    },
    async *stream(start, end) {
      check(start, end)
      for (let at = start; at < end; at += chunkBytes)
        yield bytes.subarray(at, Math.min(end, at + chunkBytes))
    },
  }
}

/** @throws HtsvaultError RANGE_OUTSIDE_FILE unless `0 <= start <= end <= size`. */
export function checkRange(start: number, end: number, size: number): void {
  if (!(start >= 0 && start <= end && end <= size))
    throw new HtsvaultError(
      'RANGE_OUTSIDE_FILE',
      `bytes ${start} to ${end} were asked for, the file has ${size}`,
    )
}
