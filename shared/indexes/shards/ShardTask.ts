import type { ByteRange } from '#shared/bytes/ByteRange.ts'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { FileDefinition } from '#shared/cram/FileDefinition.ts'
import type { FileHeader } from '../scan/FileHeader.ts'
import type { BamFacts } from '../scan/scanBam.ts'
import type { BcfFacts } from '../scan/scanBcf.ts'

/** What of a file's header its records cannot be read without. Plain values: JSON holds them. */
export type ShardFacts =
  | BamFacts
  | { readonly format: 'VCF' }
  | BcfFacts
  | { readonly format: 'CRAM'; readonly references: number; readonly definition: FileDefinition }

/** One stretch of a file to be indexed. Plain values: JSON holds them. */
export interface ShardTask {
  readonly facts: ShardFacts
  /** Its records are those that begin in BGZF blocks (containers) that begin in here. */
  readonly range: ByteRange
  /** Whether the file ends with it. */
  readonly last: boolean
  /** Where its first record begins, where that is known; it is searched for unless told. */
  readonly start?: VirtualOffset
}

/** What shards need to know of a header. */
export function shardFacts(header: FileHeader): ShardFacts {
  switch (header.format) {
    case 'BAM':
      return { format: 'BAM', references: header.references.length, depth: header.scheme.depth }
    case 'VCF':
      return { format: 'VCF' }
    case 'BCF':
      return { format: 'BCF', contigs: header.contigs, samples: header.samples }
    case 'CRAM':
      return { format: 'CRAM', references: header.references.length, definition: header.definition }
  }
}

/** The tasks of a file that was cut into `ranges`: the first one's start is known. */
export function shardTasks(header: FileHeader, ranges: readonly ByteRange[]): ShardTask[] {
  const facts = shardFacts(header)
  return ranges.map((range, i) => ({
    facts,
    range,
    last: i === ranges.length - 1,
    ...(i === 0 && { start: header.end }),
  }))
}
