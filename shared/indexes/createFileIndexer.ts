import type { InflateBlock } from '#shared/bgzf/inflateAhead.ts'
import { BamIndexer } from './BamIndexer.ts'
import { BcfIndexer } from './BcfIndexer.ts'
import { CramIndexer } from './CramIndexer.ts'
import { VcfIndexer } from './VcfIndexer.ts'
import type { FileIndexer, Format, IndexKind } from './FileIndexer.ts'
import { fittingKind } from './indexKinds.ts'
import { ByFormat } from './scan/ByFormat.ts'

/**
 * The indexer of a format that is known; of the standard index `wanted`, or unless told of the usual one, and CSI
 * where positions are too large for that.
 * @throws HtsvaultError INDEX_KIND_UNFIT where a file of this format cannot have it
 */
export function indexerOf(format: Format, wanted?: IndexKind, inflate?: InflateBlock): FileIndexer {
  switch (format) {
    case 'BAM':
      return new BamIndexer({ index: fittingKind(format, wanted), inflate })
    case 'CRAM':
      fittingKind(format, wanted)
      return new CramIndexer()
    case 'VCF':
      return new VcfIndexer({ index: fittingKind(format, wanted), inflate })
    case 'BCF':
      fittingKind(format, wanted)
      return new BcfIndexer(inflate)
  }
}

/**
 * The indexer of a file of whatever format its first bytes show, and of its standard index as `indexerOf` has it.
 *
 * Its `push` and `finish` throw, besides the format's own errors, those of `recogniseFormat` and `indexerOf`.
 */
export function createFileIndexer(wanted?: IndexKind, inflate?: InflateBlock): FileIndexer {
  const byFormat = new ByFormat(format => indexerOf(format, wanted, inflate))
  return {
    push: chunk => byFormat.push(chunk),
    finish: () => byFormat.finish().finish(),
  }
}
