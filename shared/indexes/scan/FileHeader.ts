import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { FileDefinition } from '#shared/cram/FileDefinition.ts'
import type { BinningScheme } from '../binning/bins.ts'
import type { Format, Reference } from '../FileIndexer.ts'

interface Header<F extends Format> {
  readonly format: F
  /** As IndexedFile has it. */
  readonly formatVersion: string
  /** In the header's order. */
  readonly references: readonly Reference[]
  /** The header's plain bytes; of CRAM the file's, up to the first data container. */
  readonly bytes: Uint8Array
  /** Where the first record may start. */
  readonly end: VirtualOffset
}

export interface BamFileHeader extends Header<'BAM'> {
  /** The index that the file gets, and its scheme. */
  readonly kind: 'bai' | 'csi'
  readonly scheme: BinningScheme
}

export interface VcfFileHeader extends Header<'VCF'> {
  readonly wanted: 'tbi' | 'csi' | undefined
  /** As VcfHeader has it. */
  readonly longestContig: number
}

export interface BcfFileHeader extends Header<'BCF'> {
  /** What the records call each of the references. */
  readonly contigs: readonly number[]
  /** How many. */
  readonly samples: number
}

export interface CramFileHeader extends Header<'CRAM'> {
  readonly definition: FileDefinition
}

/** What the header of a file tells, and which index is to be made of it. */
export type FileHeader = BamFileHeader | VcfFileHeader | BcfFileHeader | CramFileHeader
