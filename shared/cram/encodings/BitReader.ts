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
    let at = this.#at
    if (at + count > this.#bytes.length * 8) throw pastEnd()
    this.#at = at + count
    let value = 0
    while (count > 0) {
      const inByte = Math.min(8 - (at & 7), count)
      const byte = this.#bytes[at >>> 3]! & (0xff >>> (at & 7))
      value = value * 2 ** inByte + (byte >>> (8 - (at & 7) - inByte))
      at += inByte
      count -= inByte
    }
    return value
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
