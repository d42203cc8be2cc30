import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { ErrorReport } from '#shared/errors.ts'
import type { FileEnd, Findings } from '../scan/Findings.ts'
import type { TextPlace } from '../scan/TextPlace.ts'

/** What a shard found, and where exactly; virtual offsets of CRAM have the container's offset as their block. */
export interface ShardResult {
  /** Where its first record begins; nothing where none was found to begin in its range. */
  readonly start: VirtualOffset | undefined
  /** Where the next shard's first record begins, or where the defect is. */
  readonly stop: VirtualOffset
  readonly findings: Findings
  readonly lines: TextPlace
  /** Where the file ends, if this shard read it to its end. */
  readonly end?: FileEnd | undefined
  /** What is wrong, if the shard begins where it thought; records and lines are counted from the shard's first. */
  readonly error?: ErrorReport | undefined
}
