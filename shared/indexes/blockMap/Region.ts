/** A stretch of one reference: 0-based, half-open; `end` may be Infinity. */
export interface PlacedRegion {
  /** Index into the file's references. */
  readonly refId: number
  readonly start: number
  readonly end: number
}

/** What a query asks for: a stretch of a reference, the records without a position, or every record. */
export type Region = PlacedRegion | 'unplaced' | 'everything'
