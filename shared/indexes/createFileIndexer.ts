import { BamIndexer } from './BamIndexer.ts'
import { BcfIndexer } from './BcfIndexer.ts'
import { CramIndexer } from './CramIndexer.ts'
import { VcfIndexer } from './VcfIndexer.ts'
import type { FileIndexer, Format, IndexedFile, IndexKind } from './FileIndexer.ts'
import { fittingKind } from './indexKinds.ts'
import { recogniseBytes, recogniseFormat } from './recogniseFormat.ts'

/**
 * The indexer of a format that is known; of the standard index `wanted`, or unless told of the usual one, and CSI
 * where positions are too large for that.
 * @throws HtsvaultError INDEX_KIND_UNFIT where a file of this format cannot have it
 */
export function indexerOf(format: Format, wanted?: IndexKind): FileIndexer {
  switch (format) {
    case 'BAM':
      return new BamIndexer({ index: fittingKind(format, wanted) })
    case 'CRAM':
      fittingKind(format, wanted)
      return new CramIndexer()
    case 'VCF':
      return new VcfIndexer({ index: fittingKind(format, wanted) })
    case 'BCF':
      fittingKind(format, wanted)
      return new BcfIndexer()
  }
}

/**
 * The indexer of a file of whatever format its first bytes show, and of its standard index as `indexerOf` has it.
 *
 * Its `push` and `finish` throw, besides the format's own errors, those of `recogniseFormat` and `indexerOf`.
 */
export function createFileIndexer(wanted?: IndexKind): FileIndexer {
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
    const chosen = indexerOf(recogniseFormat(prefix), wanted)
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
        indexer = indexerOf(recogniseFormat(chunk.subarray(0, recogniseBytes)), wanted)
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
