/** What a scan of text counts besides its records: nothing in the other formats. */
export interface TextPlace {
  readonly lines: number
  /** The number of the first line among the records without anything on it; 0: none. */
  readonly emptyLine: number
}

export const noText: TextPlace = { lines: 0, emptyLine: 0 }
