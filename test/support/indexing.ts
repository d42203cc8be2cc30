import { HtsvaultError } from '#shared/errors.ts'
import type { FileIndexer, IndexedFile } from '#shared/indexes/FileIndexer.ts'

/** Runs an indexer over a file in chunks of the given sizes, over and over; each chunk is gone when it is done. */
export function indexInChunks(
  indexer: FileIndexer,
  file: Uint8Array,
  sizes: readonly number[] = [1 << 16],
): IndexedFile {
  for (let at = 0, k = 0; at < file.length; k++) {
    const size = sizes[k % sizes.length]!
    // A Buffer, as files are read into: its `slice` copies nothing.
    const chunk = Buffer.from(file.subarray(at, at + size))
    indexer.push(chunk)
    chunk.fill(0xee)
    at += size
  }
  return indexer.finish()
}

/** The error that `work` ends in, `undefined` where it does not. @throws what is not one of the project's own */
export function errorOf(work: () => unknown): HtsvaultError | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof HtsvaultError) return error
    throw error
  }
}
