import { blockOf, withinOf, type VirtualOffset, type VirtualRange } from '#shared/bgzf/VirtualOffset.ts'

/** Units that follow each other in the file: whole records, from the first unit's start to the last one's end. */
export interface UnitRun extends VirtualRange {
  /**
   * File offset of the first block border at or after `start`: from there up to the block of `end` the file's bytes
   * are whole blocks.
   */
  readonly border: number
}

/** Length of a stretch in the file, in bytes, a block that it begins in included. */
export const runBytes = ({ start, end }: VirtualRange): number => blockOf(end) - blockOf(start)

/** Sorts stretches that do not overlap, and joins those that touch, as long as none gets longer than `limit` bytes. */
export function joinUnits(stretches: readonly UnitRun[], limit = Infinity): UnitRun[] {
  const joined: UnitRun[] = []
  for (const stretch of [...stretches].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1)
    const both = last && { ...last, end: stretch.end }
    if (last?.end === stretch.start && runBytes(both!) <= limit) joined[joined.length - 1] = both!
    else joined.push(stretch)
  }
  return joined
}

/** The block border at or after `start` where the next border after that block is `next`. */
export const borderAfter = (start: VirtualOffset, next: VirtualOffset): number =>
  withinOf(start) === 0 ? blockOf(start) : blockOf(next)
