import type { IndexedFile } from './FileIndexer.ts'

/**
 * A file indexer that may work beside the caller: chunks go in in order, the result comes out at the end.
 *
 * `push` resolves when the next chunk can be taken and rejects with the first error found; the chunk is not kept.
 */
export interface IndexLane {
  push(chunk: Uint8Array): Promise<void> | void
  finish(): Promise<IndexedFile>
  /** Gives everything back; safe at any time, and twice. */
  close(): Promise<void>
}
