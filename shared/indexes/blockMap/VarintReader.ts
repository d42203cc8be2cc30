import { corrupt } from './corrupt.ts'

/** Reads what `VarintWriter` wrote; every read is checked against the end. */
export class VarintReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** An integer from 0 to 2^53 - 1. @throws HtsvaultError BLOCK_MAP_CORRUPT */
  varint(): number {
    let value = 0
    let scale = 1
    for (let length = 0; length < 8; length++) {
      if (this.#at >= this.#bytes.length) throw corrupt('a page ends within a number')
      const byte = this.#bytes[this.#at++]!
      value += (byte & 127) * scale
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 128
    }
    throw corrupt('a number is too large')
  }

  /** An integer of either sign. @throws HtsvaultError BLOCK_MAP_CORRUPT */
  signed(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** 32 bits, little-endian. @throws HtsvaultError BLOCK_MAP_CORRUPT */
  uint32(): number {
    const bytes = this.bytes(4)
    return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0
  }

  /** The next `length` bytes, not copied. @throws HtsvaultError BLOCK_MAP_CORRUPT */
  bytes(length: number): Uint8Array {
    if (length > this.left) throw corrupt('a page ends early')
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return bytes
  }

  /** How many items are declared, of at least `minBytes` bytes each: more than can follow are refused. */
  count(minBytes: number): number {
    const count = this.varint()
    if (count * minBytes > this.left) throw corrupt('more entries are declared than there are')
    return count
  }

  /** @throws HtsvaultError BLOCK_MAP_CORRUPT where bytes are left over */
  end(): void {
    if (this.left > 0) throw corrupt('a page has bytes after its end')
  }
}
