/** Writes CRAM's data types (CRAMv3 §2.3) one after the other: the counterpart of Cursor. */
export class CramWriter {
  #bytes = new Uint8Array(256)
  #size = 0

  get size(): number {
    return this.#size
  }

  uint8(value: number): this {
    this.#room(1)[this.#size++] = value
    return this
  }

  /** Little-endian; signed numbers too. */
  uint32(value: number): this {
    const bytes = this.#room(4)
    for (let shift = 0; shift < 32; shift += 8) bytes[this.#size++] = value >>> shift
    return this
  }

  /** A signed 32-bit integer. */
  itf8(value: number): this {
    const bytes = this.#room(5)
    const unsigned = value >>> 0
    const more = unsigned < 0x80 ? 0 : unsigned < 0x4000 ? 1 : unsigned < 0x200000 ? 2 : 3
    if (unsigned >= 0x10000000) {
      bytes[this.#size++] = 0xf0 | (value >>> 28)
      bytes[this.#size++] = value >>> 20
      bytes[this.#size++] = value >>> 12
      bytes[this.#size++] = value >>> 4
      // The last byte has four bits; readers leave out the others.
      bytes[this.#size++] = value & 0x0f
      return this
    }
    bytes[this.#size++] = ((0xff00 >> more) & 0xff) | (value >>> (8 * more))
    for (let i = more - 1; i >= 0; i--) bytes[this.#size++] = value >>> (8 * i)
    return this
  }

  put(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#size)
    this.#size += bytes.length
    return this
  }

  /** What was written: a view, good until more is. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#size)
  }

  #room(more: number): Uint8Array {
    if (this.#size + more > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#size + more))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    return this.#bytes
  }
}
