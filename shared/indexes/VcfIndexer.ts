import type { InflateBlock } from '#shared/bgzf/inflateAhead.ts'
import { BgzfIndexer } from './BgzfIndexer.ts'
import { scanVcf } from './scan/scanVcf.ts'

export interface VcfIndexerOptions {
  /** The index to make; unless told, `tbi` where all contigs and records end before 2^29, `csi` elsewhere. */
  readonly index?: 'tbi' | 'csi' | undefined
  readonly inflate?: InflateBlock | undefined
}

/**
 * Indexes a bgzipped VCF file: TBI as `tabix -p vcf` writes it, or CSI as `bcftools index` does.
 *
 * `references` are the header's contigs, then those that only records name; the standard index lists those that have
 * records, in the order of the file, as tabix does.
 */
export class VcfIndexer extends BgzfIndexer {
  constructor({ index, inflate }: VcfIndexerOptions = {}) {
    super(scanVcf(index), inflate)
  }
}
