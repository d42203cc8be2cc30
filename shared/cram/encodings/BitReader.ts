import { corrupt } from '../cramErrors.ts'

/** Reads the bits of a CORE block, the highest of each byte first (CRAMv3 §2.2). */
export class BitReader {
  readonly #bytes: Uint8Array
  /** In bits. */
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** @throws HtsvaultError CRAM_CORRUPT past the end, as all reads here */
  bit(): number {
    const at = this.#at
    const byte = this.#bytes[at >>> 3]
    if (byte === undefined) throw pastEnd()
    this.#at = at + 1
    return (byte >>> (7 - (at & 7))) & 1
  }

  /** The next `count` bits, at most 32, as an unsigned number. */
  bits(count: number): number {
    const at = this.#at
    const bytes = this.#bytes
    if (at + count > bytes.length * 8) throw pastEnd()
    // A window of 32 bits holds 25 wherever in its first byte they begin.
    if (count > 25) return this.bits(count - 16) * 65536 + this.bits(16)
    if (count === 0) return 0
    this.#at = at + count
    const byte = at >>> 3
    const window =
      byte + 4 <= bytes.length
        ? (bytes[byte]! << 24) | (bytes[byte + 1]! << 16) | (bytes[byte + 2]! << 8) | bytes[byte + 3]!
        : (bytes[byte]! << 24) | ((bytes[byte + 1] ?? 0) << 16) | ((bytes[byte + 2] ?? 0) << 8)
    return (window << (at & 7)) >>> (32 - count)
  }

  /** How many bits equal to `bit` come before the next other one, which is taken too. */
  run(bit: number): number {
    let count = 0
    while (this.bit() === bit) count++
    if (count > 31) throw corrupt('a value of the CORE block has more than 32 bits')
    return count
  }
}

const pastEnd = () => corrupt('a slice reads past the end of its CORE block')
