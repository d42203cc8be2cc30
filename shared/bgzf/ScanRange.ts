import type { VirtualOffset } from './VirtualOffset.ts'

/** The stretch of a file that a scanner takes, without the header. */
export interface ScanRange {
  /** Where the first record begins. */
  readonly start: VirtualOffset
  /** Records that begin here or further on are left. */
  readonly limit: number
}
