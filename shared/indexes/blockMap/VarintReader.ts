import { corrupt } from './corrupt.ts'

/** Reads what `VarintWriter` wrote; every read is checked against the end. */
export class VarintReader {
  readonly #bytes: Uint8Array
  readonly #corrupt: (what: string) => Error
  #at = 0

  /** `corrupt` makes the error for bytes that nobody wrote so: those of a block map's page unless told. */
  constructor(bytes: Uint8Array, corruptOf: (what: string) => Error = corrupt) {
    this.#bytes = bytes
    this.#corrupt = corruptOf
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** An integer from 0 to 2^53 - 1. @throws HtsvaultError as the constructor was told */
  varint(): number {
    let value = 0
    let scale = 1
    for (let length = 0; length < 8; length++) {
      if (this.#at >= this.#bytes.length) throw this.#corrupt('it ends within a number')
      const byte = this.#bytes[this.#at++]!
      value += (byte & 127) * scale
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 128
    }
    throw this.#corrupt('a number is too large')
  }

  /** An integer of either sign. @throws HtsvaultError as the constructor was told */
  signed(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** 32 bits, little-endian. @throws HtsvaultError as the constructor was told */
  uint32(): number {
    const bytes = this.bytes(4)
    return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0
  }

  /** The next `length` bytes, not copied. @throws HtsvaultError as the constructor was told */
  bytes(length: number): Uint8Array {
    if (length > this.left) throw this.#corrupt('it ends early')
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }

  /** How many items are declared, of at least `minBytes` bytes each: more than can follow are refused. */
  count(minBytes: number): number {
    const count = this.varint()
    if (count * minBytes > this.left) throw this.#corrupt('more entries are declared than there are')
    return count
  }

  /** @throws HtsvaultError as the constructor was told where bytes are left over */
  end(): void {
    if (this.left > 0) throw this.#corrupt('it has bytes after its end')
  }
}
