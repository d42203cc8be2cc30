import type { HeaderReference } from './FileHeader.ts'

/** Where the bases of references come from, for CRAM files that do not hold them. */
export interface ReferenceSource {
  /**
   * Bases `start` to `end` (0-based, half-open) of a reference, fewer where it ends before; undefined where there is none
   * of that name or checksum.
   */
  read(reference: HeaderReference, start: number, end: number): Promise<string | undefined>
}
