import type { InflateBlock } from '#shared/bgzf/inflateAhead.ts'
import { BgzfIndexer } from './BgzfIndexer.ts'
import { scanBcf } from './scan/scanBcf.ts'

/**
 * Indexes a BCF file: CSI as `bcftools index` writes it.
 *
 * `references` are the header's contigs by their number in the file's dictionary, without the gaps that the numbers
 * may have; the standard index counts by the numbers themselves.
 */
export class BcfIndexer extends BgzfIndexer {
  constructor(inflate?: InflateBlock) {
    super(scanBcf(), inflate)
  }
}
