/** How a map's pages are cut. A reader needs to know none of it. */
export interface Layout {
  /** A leaf holds this many units at most … */
  readonly leafUnits: number
  /** … and ends with the unit that brings it to this many bytes. */
  readonly leafBytes: number
  /** A directory tells of this many pages at most. */
  readonly fanOut: number
}

export const defaultLayout: Layout = { leafUnits: 256, leafBytes: 8192, fanOut: 256 }
