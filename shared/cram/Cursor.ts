import { corrupt } from './cramErrors.ts'

/** Reads CRAM's data types (CRAMv3 §2.3) from bytes, in order; every read is checked against their end. */
export class Cursor {
  readonly bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  /** @throws HtsvaultError CRAM_CORRUPT past the end, as all reads here */
  uint8(): number {
    const { bytes, at } = this
    if (at >= bytes.length) throw pastEnd()
    this.at = at + 1
    return bytes[at]!
  }

  /** Little-endian. */
  int32(): number {
    return this.uint32() | 0
  }

  uint32(): number {
    const { bytes, at } = this
    if (at + 4 > bytes.length) throw pastEnd()
    this.at = at + 4
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  }

  /** A signed 32-bit integer in 1 to 5 bytes: the leading ones of the first byte count the bytes that follow. */
  itf8(): number {
    const { bytes, at } = this
    if (at >= bytes.length) throw pastEnd()
    const first = bytes[at]!
    if (first < 0x80) {
      this.at = at + 1
      return first
    }
    const size = first < 0xc0 ? 2 : first < 0xe0 ? 3 : first < 0xf0 ? 4 : 5
    if (at + size > bytes.length) throw pastEnd()
    this.at = at + size
    if (size === 2) return ((first & 0x3f) << 8) | bytes[at + 1]!
    if (size === 3) return ((first & 0x1f) << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
    if (size === 4)
      return ((first & 0x0f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    return (
      ((first & 0x0f) << 28) |
      (bytes[at + 1]! << 20) |
      (bytes[at + 2]! << 12) |
      (bytes[at + 3]! << 4) |
      (bytes[at + 4]! & 0x0f)
    )
  }

  /** A 64-bit integer in 1 to 9 bytes, as an unsigned number; over 2^53 it is not exact: no such count is used. */
  ltf8(): number {
    const first = this.uint8()
    const more = first === 0xff ? 8 : Math.clz32(~(first << 24))
    let value = more >= 7 ? 0 : first & (0x7f >> more)
    for (let i = 0; i < more; i++) value = value * 256 + this.uint8()
    return value
  }

  /** An unsigned integer in groups of seven bits, the highest first (CRAMcodecs §1.1, uint7). */
  uint7(): number {
    let value = 0
    for (let i = 0; i < 5; i++) {
      const byte = this.uint8()
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) return value
    }
    throw corrupt('an integer of seven-bit groups is longer than five bytes')
  }

  /** The next `size` bytes: a view, not a copy. */
  take(size: number): Uint8Array {
    if (!(size >= 0 && size <= this.left)) throw pastEnd()
    const { at } = this
    this.at = at + size
    return this.bytes.subarray(at, at + size)
  }

  /** A count of things of at least one byte each. */
  count(what: string): number {
    const value = this.itf8()
    if (value < 0 || value > this.left) throw corrupt(`the number of ${what} is more than there is room for`)
    return value
  }
}

const pastEnd = () => corrupt('a field reaches past the end of what holds it')
