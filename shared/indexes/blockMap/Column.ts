type Cells = Float64Array | Uint32Array | Uint8Array

const chunkLength = 16384

/** A column of numbers that grows by chunks: nothing is copied when it grows, and little lies idle. */
export class Column {
  readonly #make: () => Cells
  readonly #chunks: Cells[] = []
  #length = 0

  /** `kind` says how the numbers are kept: `Uint32Array`, for one. */
  constructor(kind: new (length: number) => Cells) {
    this.#make = () => new kind(chunkLength)
  }

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    const at = this.#length % chunkLength
    if (at === 0) this.#chunks.push(this.#make())
    this.#chunks[this.#chunks.length - 1]![at] = value
    this.#length++
  }

  /** The number at `index`, which must be below `length`. */
  get(index: number): number {
    return this.#chunks[Math.floor(index / chunkLength)]![index % chunkLength]!
  }
}
