import { blockOf, withinOf, type VirtualOffset, type VirtualRange } from '#shared/bgzf/VirtualOffset.ts'

/** Units that follow each other in the file: whole records, from the first unit's start to the last one's end. */
export interface UnitRun extends VirtualRange {
  /**
   * File offset of the first block border at or after `start`: from there up to the block of `end` the file's bytes
   * are whole blocks.
   */
  readonly border: number
}

/** Sorts stretches that do not overlap, and joins those that touch. */
export function joinUnits(stretches: readonly UnitRun[]): UnitRun[] {
  const joined: UnitRun[] = []
  for (const stretch of [...stretches].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1)
    if (last?.end === stretch.start) joined[joined.length - 1] = { ...last, end: stretch.end }
    else joined.push(stretch)
  }
  return joined
}

/** The block border at or after `start` where the next border after that block is `next`. */
export const borderAfter = (start: VirtualOffset, next: VirtualOffset): number =>
  withinOf(start) === 0 ? blockOf(start) : blockOf(next)
