import type { CramRecord } from '@gmod/cram'
import type { QueryRegion } from '#shared/htsget/HtsgetQuery.ts'
import type { BamRead } from './BamRead.ts'

/** Where a record lies: 0-based, half-open, as samtools and bcftools have it; an unplaced read lies nowhere. */
export interface Extent {
  /** Undefined for reads without a place. */
  readonly referenceName: string | undefined
  readonly start: number
  readonly end: number
}

/** A record, with all that its reader knows of it. */
export type GenomicRecord =
  | (Extent & { readonly format: 'BAM'; readonly record: BamRead })
  /** Its bases, by `getReadBases()`, are there where the reference was. */
  | (Extent & { readonly format: 'CRAM'; readonly record: CramRecord })
  /** A line of VCF, without its end; a BCF record as `bcftools view` writes it. */
  | (Extent & { readonly format: 'VCF' | 'BCF'; readonly line: string })

/** Whether a record lies in any of the regions; without regions every one does. */
export function regionFilter(regions: readonly QueryRegion[] | undefined): (extent: Extent) => boolean {
  if (!regions) return () => true
  const byName = new Map<string, QueryRegion[]>()
  for (const region of regions)
    byName.set(region.referenceName, [...(byName.get(region.referenceName) ?? []), region])
  return ({ referenceName, start, end }) => {
    if (referenceName === undefined) return byName.has('*')
    const found = byName.get(referenceName)
    return found?.some(region => start < (region.end ?? Infinity) && end > (region.start ?? 0)) === true
  }
}
