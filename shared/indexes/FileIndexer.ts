import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'

/** The formats that the vault serves, spelled as htsget spells them. */
export type Format = 'BAM' | 'CRAM' | 'VCF' | 'BCF'

/** The standard indexes, spelled as samtools and tabix name their files. */
export type IndexKind = 'bai' | 'csi' | 'tbi' | 'crai'

export interface Reference {
  readonly name: string
  /** In bases; absent where the file does not tell (a VCF contig line without a length, or none at all). */
  readonly length?: number
  /** Of its sequence, hexadecimal; absent where the file does not tell. */
  readonly md5?: string
}

/** What one pass over a file found. */
export interface IndexedFile {
  readonly format: Format
  /** As the file says: `3.0` of CRAM, `4.2` of VCF, `2.2` of BCF, `1` of BAM. */
  readonly formatVersion: string
  /** In the file's own order; a record's reference id is an index into it. */
  readonly references: readonly Reference[]
  readonly records: number
  /** Records without a position (BAM, CRAM): what `referenceName=*` asks for. */
  readonly unplacedRecords: number
  /** The standard index, as a file: BGZF-compressed where its specification says so. */
  readonly index: { readonly kind: IndexKind; readonly bytes: Uint8Array }
  /** The vault's own index (docs/block-map.md), as a file. */
  readonly blockMap: Uint8Array
  /** Length of the file in bytes. */
  readonly size: number
  /** Where the header ends and the first record may start. */
  readonly headerEnd: VirtualOffset
  /** Where the records end: the offset of the EOF marker. */
  readonly dataEnd: VirtualOffset
}

/**
 * Indexes one file as its bytes go by, in order, once.
 *
 * `push` takes chunks of any size and keeps no reference to them; `finish` says that there are no more. Both throw
 * HtsvaultError with the place of what is wrong; after that the indexer is not used again. Memory: the index, the
 * block map, and one block or container.
 */
export interface FileIndexer {
  push(chunk: Uint8Array): void
  finish(): IndexedFile
}
