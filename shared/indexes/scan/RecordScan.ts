import type { BlockHandler } from '#shared/bgzf/BgzfReader.ts'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { HtsvaultError } from '#shared/errors.ts'
import type { FileHeader } from './FileHeader.ts'
import type { Findings } from './Findings.ts'
import type { TextPlace } from './TextPlace.ts'

/** One pass over the records of a BAM, VCF or BCF file, or of a stretch of one, as its BGZF blocks go by. */
export interface RecordScan {
  /** What went by of the header; nothing where only a stretch is scanned. */
  readonly header: FileHeader | undefined
  /** Where the next record begins, or the one that is not whole yet. */
  readonly end: VirtualOffset
  readonly lines: TextPlace
  readonly block: BlockHandler
  /** Says that the file ends. */
  finish(): void
  /** The error with all that is known of its place. */
  explain(error: HtsvaultError): HtsvaultError
  /** What was found up to `end`. */
  findings(): Findings
}
