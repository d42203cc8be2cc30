/** What a parent says of a page, a leaf or a directory: enough to find it, to check it, and to pass it by. */
export interface PageEntry {
  /** Where it lies in the map, in bytes. */
  readonly offset: number
  readonly length: number
  readonly crc32: number
  /** Virtual offset at which its first unit begins. */
  readonly start: number
  /** File offset of the first block border at or after `start`. */
  readonly border: number
  /** The runs of its extents, the last one included. */
  readonly firstRun: number
  readonly lastRun: number
  /** Its extents on the first run: from, and the furthest end. */
  readonly firstBeg: number
  readonly firstEnd: number
  /** The furthest end of its extents on the last run; on that run they begin where the run does, if it is another. */
  readonly lastEnd: number
}

/** A page as it is written: what its parent will say of it, and its bytes. */
export interface WrittenPage extends Omit<PageEntry, 'offset'> {
  readonly bytes: Uint8Array
}

/** Where something of the map reaches in the file: its first unit's start, and the start of what follows it. */
export interface Stretch {
  /** Virtual offset. */
  readonly start: number
  /** Virtual offset. */
  readonly end: number
}
