/** Bytes of one line or record that goes on in the next block; the buffer grows, and is used again. */
export class Carry {
  bytes = new Uint8Array(1024)
  length = 0

  append(source: Uint8Array, from: number, to: number): void {
    const needed = this.length + to - from
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    // Byte by byte is faster than a view for the few bytes that most lines leave over.
    if (to - from < 64) for (let i = from, j = this.length; i < to; i++, j++) this.bytes[j] = source[i]!
    else this.bytes.set(source.subarray(from, to), this.length)
    this.length = needed
  }

  clear(): void {
    this.length = 0
  }
}
