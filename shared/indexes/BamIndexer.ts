import type { InflateBlock } from '#shared/bgzf/inflateAhead.ts'
import { BgzfIndexer } from './BgzfIndexer.ts'
import { scanBam } from './scan/scanBam.ts'

export interface BamIndexerOptions {
  /** The index to make; unless told, `bai`, and `csi` where a reference is too long for it. */
  readonly index?: 'bai' | 'csi' | undefined
  readonly inflate?: InflateBlock | undefined
}

/** Indexes a BAM file: BAI as `samtools index` writes it, or CSI as `samtools index -c` does. */
export class BamIndexer extends BgzfIndexer {
  constructor({ index, inflate }: BamIndexerOptions = {}) {
    super(scanBam(index), inflate)
  }
}
