import type { RunTable } from '../binning/RunTable.ts'
import type { UnitTable } from '../blockMap/UnitTable.ts'

/** What the records of a file, or of a stretch of one, leave for its indexes: no format has all of it. */
export interface Findings {
  readonly records: number
  /** For the standard index of BAM, VCF, BCF. References are called as the records call them; by VCF as `contigs`. */
  readonly runs: RunTable
  /** For the block map; references as in `runs`, of CRAM as in the header. */
  readonly units: UnitTable
  /** VCF: the contigs in the order in which records name them first. */
  readonly contigs: readonly string[]
  /** VCF, BCF: the furthest end of any record, in bases. */
  readonly furthest: number
  /** CRAM: the lines of its CRAI, and how many records have no position. */
  readonly crai: Uint8Array
  readonly unplaced: number
  /** CRAM: what tells whether stretches are in order; nothing where there are no records. */
  readonly order?: CramOrder | undefined
}

/** Where the first and the last run of a CRAM's records on one reference begin, 1-based. */
export interface CramOrder {
  /** With the record's number, the first is 1, and the offset of its slice in the file. */
  readonly first: CramStart & { readonly record: number; readonly offset: number }
  readonly last: CramStart
}

export interface CramStart {
  readonly refId: number
  readonly start: number
}

/** Where a file ends. */
export interface FileEnd {
  /** In bytes. */
  readonly size: number
  /** The EOF marker as it stands in the file, which ends with it. */
  readonly eof: Uint8Array
}
