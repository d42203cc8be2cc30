import { BamIndexer } from './BamIndexer.ts'
import { BcfIndexer } from './BcfIndexer.ts'
import { CramIndexer } from './CramIndexer.ts'
import { VcfIndexer } from './VcfIndexer.ts'
import type { FileIndexer, Format, IndexedFile } from './FileIndexer.ts'
import { recogniseBytes, recogniseFormat } from './recogniseFormat.ts'

/** The indexer of a format that is known. */
export function indexerOf(format: Format): FileIndexer {
  switch (format) {
    case 'BAM':
      return new BamIndexer()
    case 'CRAM':
      return new CramIndexer()
    case 'VCF':
      return new VcfIndexer()
    case 'BCF':
      return new BcfIndexer()
  }
}

/**
 * The indexer of a file of whatever format its first bytes show.
 *
 * Its `push` and `finish` throw, besides the format's own errors, those of `recogniseFormat`.
 */
export function createFileIndexer(): FileIndexer {
  let indexer: FileIndexer | undefined
  let waiting: Uint8Array[] = []
  let held = 0

  const begin = (): FileIndexer => {
    const prefix = new Uint8Array(held)
    let at = 0
    for (const chunk of waiting) {
      prefix.set(chunk, at)
      at += chunk.length
    }
    waiting = []
    const chosen = indexerOf(recogniseFormat(prefix))
    chosen.push(prefix)
    return chosen
  }

  return {
    push(chunk) {
      if (indexer) {
        indexer.push(chunk)
        return
      }
      if (held === 0 && chunk.length >= recogniseBytes) {
        indexer = indexerOf(recogniseFormat(chunk.subarray(0, recogniseBytes)))
        indexer.push(chunk)
        return
      }
      waiting.push(chunk.slice())
      held += chunk.length
      if (held >= recogniseBytes) indexer = begin()
    },
    finish(): IndexedFile {
      return (indexer ??= begin()).finish()
    },
  }
}
