/** Lines are joined to blocks of text of about so many characters. */
const textBlock = 1 << 16

/** Builds a CRAI (CRAMv3 §12) in the order of the file: a line for each slice, or reference of a slice. */
export class CraiBuilder {
  #text = ''
  readonly #blocks: Uint8Array[] = []

  /**
   * Takes one line: reference id (-1: unplaced), first position (1-based) and span in bases; the container's offset
   * in the file, the slice's from the end of the container's header, and its size, in bytes.
   */
  add(refId: number, start: number, span: number, container: number, slice: number, size: number): void {
    this.#text += `${refId}\t${start}\t${span}\t${container}\t${slice}\t${size}\n`
    if (this.#text.length >= textBlock) this.#flush()
  }

  /** All lines: the index, but for its compression. */
  text(): Uint8Array {
    this.#flush()
    return Buffer.concat(this.#blocks)
  }

  #flush(): void {
    this.#blocks.push(Buffer.from(this.#text, 'latin1'))
    this.#text = ''
  }
}
