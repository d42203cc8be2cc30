import { corrupt } from '../cramErrors.ts'

const maxSymbols = 258
const groupSize = 50
const blockMagic = [0x314159, 0x265359] as const
const endMagic = [0x177245, 0x385090] as const

/**
 * Decodes one bzip2 stream to exactly `rawSize` bytes. The checksums inside it are left to the CRAM block's own.
 * @throws HtsvaultError CRAM_CORRUPT
 */
export function decodeBzip2(bytes: Uint8Array, rawSize: number): Uint8Array {
  const bits = new Bits(bytes)
  if (bits.read(24) !== 0x425a68) throw corrupt('a bzip2 block is without its magic')
  const level = bits.read(8) - 0x30
  if (level < 1 || level > 9) throw corrupt('a bzip2 block has a level that cannot be')
  const out = new Output(rawSize)
  for (;;) {
    const magic = [bits.read(24), bits.read(24)]
    bits.read(16)
    bits.read(16)
    if (magic[0] === endMagic[0] && magic[1] === endMagic[1]) break
    if (magic[0] !== blockMagic[0] || magic[1] !== blockMagic[1])
      throw corrupt('a bzip2 block is not where it should be')
    decodeBlock(bits, level * 100_000, out)
  }
  if (out.length !== rawSize) throw corrupt('a bzip2 block is shorter than it declares')
  return out.bytes
}

function decodeBlock(bits: Bits, maxLength: number, out: Output): void {
  if (bits.read(1)) throw corrupt('a bzip2 block is randomised, which no writer has done since 1998')
  const origin = bits.read(24)
  const alphabet = readAlphabet(bits)
  const { transformed, length, counts } = readTransformed(bits, alphabet, maxLength)
  if (origin >= length) throw corrupt('a bzip2 block begins outside itself')
  // The inverse of the Burrows-Wheeler transform: where each byte's successor stands, above the byte itself.
  let sum = 0
  for (let i = 0; i < 256; i++) {
    const count = counts[i]!
    counts[i] = sum
    sum += count
  }
  for (let i = 0; i < length; i++) {
    const byte = transformed[i]! & 0xff
    transformed[counts[byte]!++]! |= i << 8
  }
  let place = transformed[origin]! >>> 8
  let previous = -1
  let run = 0
  for (let i = 0; i < length; i++) {
    const entry = transformed[place]!
    place = entry >>> 8
    const byte = entry & 0xff
    if (run === 4) {
      out.repeat(previous, byte)
      run = 0
      previous = -1
      continue
    }
    run = byte === previous ? run + 1 : 1
    previous = byte
    out.repeat(byte, 1)
  }
}

function readAlphabet(bits: Bits): number[] {
  const used = bits.read(16)
  const alphabet: number[] = []
  for (let i = 0; i < 16; i++) {
    if (!(used & (0x8000 >>> i))) continue
    const row = bits.read(16)
    for (let j = 0; j < 16; j++) if (row & (0x8000 >>> j)) alphabet.push(i * 16 + j)
  }
  if (alphabet.length === 0) throw corrupt('a bzip2 block uses no symbols')
  return alphabet
}

/** The last column of the transform: Huffman codes, run lengths of the front symbol, move to front. */
function readTransformed(bits: Bits, alphabet: number[], maxLength: number) {
  const tableCount = bits.read(3)
  const selectorCount = bits.read(15)
  if (tableCount < 2 || tableCount > 6 || selectorCount < 1)
    throw corrupt('a bzip2 block has a number of tables that cannot be')
  const order = Array.from({ length: tableCount }, (_, i) => i)
  const selectors = new Uint8Array(selectorCount)
  for (let i = 0; i < selectorCount; i++) {
    let at = 0
    while (bits.read(1))
      if (++at >= tableCount) throw corrupt('a bzip2 block selects a table that is not there')
    const [table] = order.splice(at, 1)
    order.unshift(table!)
    selectors[i] = table!
  }
  const symbols = alphabet.length + 2
  const tables = Array.from({ length: tableCount }, () => readTable(bits, symbols))

  const front = Uint8Array.from(alphabet)
  const transformed = new Uint32Array(maxLength)
  const counts = new Uint32Array(256)
  let length = 0
  let run = 0
  let digit = 1
  const flushRun = () => {
    if (length + run > maxLength) throw corrupt('a bzip2 block is longer than its level allows')
    counts[front[0]!]! += run
    transformed.fill(front[0]!, length, length + run)
    length += run
    run = 0
    digit = 1
  }
  for (let group = 0; ; group++) {
    if (group >= selectorCount) throw corrupt('a bzip2 block ends without its end symbol')
    const table = tables[selectors[group]!]!
    for (let i = 0; i < groupSize; i++) {
      const symbol = table.read(bits)
      if (symbol <= 1) {
        run += digit << symbol
        digit *= 2
        if (run > maxLength) throw corrupt('a bzip2 block is longer than its level allows')
        continue
      }
      if (run > 0) flushRun()
      if (symbol === symbols - 1) return { transformed, length, counts }
      const at = symbol - 1
      const byte = front[at]!
      front.copyWithin(1, 0, at)
      front[0] = byte
      if (length === maxLength) throw corrupt('a bzip2 block is longer than its level allows')
      counts[byte]!++
      transformed[length++] = byte
    }
  }
}

function readTable(bits: Bits, symbols: number): Table {
  const lengths = new Uint8Array(symbols)
  let length = bits.read(5)
  for (let i = 0; i < symbols; i++) {
    while (bits.read(1)) length += bits.read(1) ? -1 : 1
    if (length < 1 || length > 20) throw corrupt('a bzip2 block has a code length that cannot be')
    lengths[i] = length
  }
  return new Table(lengths)
}

/** A canonical Huffman code of up to 20 bits. */
class Table {
  /** The last code of each length, and what to subtract from a code for its place among the symbols. */
  readonly #limits = new Int32Array(22).fill(-1)
  readonly #bases = new Int32Array(22)
  readonly #symbols = new Uint16Array(maxSymbols)

  constructor(lengths: Uint8Array) {
    let code = 0
    let place = 0
    for (let length = 1; length <= 20; length++) {
      this.#bases[length] = code - place
      for (let symbol = 0; symbol < lengths.length; symbol++)
        if (lengths[symbol] === length) {
          this.#symbols[place++] = symbol
          code++
        }
      this.#limits[length] = code - 1
      code *= 2
    }
  }

  read(bits: Bits): number {
    let code = 0
    for (let length = 1; length <= 20; length++) {
      code = code * 2 + bits.read(1)
      if (code <= this.#limits[length]!) return this.#symbols[code - this.#bases[length]!] ?? 0
    }
    throw corrupt('a bzip2 block holds a code that cannot be')
  }
}

class Output {
  readonly bytes: Uint8Array
  length = 0

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  repeat(byte: number, count: number): void {
    const end = this.length + count
    if (end > this.bytes.length) throw corrupt('a bzip2 block is longer than it declares')
    if (count === 1) this.bytes[this.length] = byte
    else this.bytes.fill(byte, this.length, end)
    this.length = end
  }
}

class Bits {
  readonly #bytes: Uint8Array
  #at = 0
  #held = 0
  #count = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The next `count` bits, at most 24, the highest first. */
  read(count: number): number {
    while (this.#count < count) {
      if (this.#at >= this.#bytes.length) throw corrupt('a bzip2 block ends early')
      this.#held = ((this.#held << 8) | this.#bytes[this.#at++]!) & 0x7fffffff
      this.#count += 8
    }
    this.#count -= count
    return (this.#held >>> this.#count) & ((1 << count) - 1)
  }
}
