/**
 * A buffer for a batch of segments. It starts 48 bytes into its allocation: writing to disk from one that starts
 * right at (or 16 bytes into) a page ran at a third of the speed on one CPU.
 */
export const batchBuffer = (bytes: number): Uint8Array =>
  new Uint8Array(bytes + 4096).subarray(48, 48 + bytes)

/** Segments that are handed on together: 16, about 1 MiB. */
export const defaultBatchSegments = 16

/** For a body of so many segments: no larger a buffer than a small one needs. */
export const batchSegmentsOf = (segments: number): number =>
  Math.min(defaultBatchSegments, Math.max(1, segments))

export interface BatchOptions {
  /** Segments in a batch. */
  readonly batchSegments?: number
  /**
   * Write each batch into the same buffer, so that what was handed out holds only until the next is asked for:
   * faster, for callers that are done with a batch by then.
   */
  readonly reuseOutput?: boolean
}
