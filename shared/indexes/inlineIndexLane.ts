import { createFileIndexer } from './createFileIndexer.ts'
import type { IndexLane } from './IndexLane.ts'

/** Indexes in the caller's own thread: for files too small to be worth a thread, and for machines with one core. */
export function inlineIndexLane(): IndexLane {
  const indexer = createFileIndexer()
  return {
    push: chunk => indexer.push(chunk),
    finish: async () => indexer.finish(),
    close: async () => undefined,
  }
}
