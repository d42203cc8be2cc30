/** A list of numbers that grows, 8 bytes each. */
export class Float64Column {
  #values = new Float64Array(64)
  length = 0

  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = new Float64Array(2 * this.length)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
  }

  at(index: number): number {
    return this.#values[index]!
  }

  /** A view of what is there; what is pushed later may not be seen by it. */
  view(): Float64Array {
    return this.#values.subarray(0, this.length)
  }
}

/** A list of whole numbers below 2^32 that grows, 4 bytes each. */
export class Uint32Column {
  #values = new Uint32Array(64)
  length = 0

  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = new Uint32Array(2 * this.length)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
  }

  at(index: number): number {
    return this.#values[index]!
  }

  /** A view of what is there; what is pushed later may not be seen by it. */
  view(): Uint32Array {
    return this.#values.subarray(0, this.length)
  }
}
