import { corrupt } from '../cramErrors.ts'
import { Cursor } from '../Cursor.ts'
import { decodeBzip2 } from './bzip2.ts'
import { readPackMap, unpack } from './pack.ts'
import { decodeStripes } from './stripes.ts'

const flag = { order: 1, external: 4, stripe: 8, noSize: 16, cat: 32, rle: 64, pack: 128 } as const

/**
 * Decodes the adaptive arithmetic coder with its transformations (CRAMcodecs §4) to exactly `rawSize` bytes.
 * @throws HtsvaultError CRAM_CORRUPT
 */
export function decodeArithmetic(bytes: Uint8Array, rawSize: number): Uint8Array {
  return decode(new Cursor(bytes), rawSize, false)
}

function decode(cursor: Cursor, rawSize: number, nested: boolean): Uint8Array {
  const flags = cursor.uint8()
  if (!(flags & flag.noSize) && cursor.uint7() !== rawSize)
    throw corrupt('an arithmetic-coded block declares two different sizes')
  if (flags & flag.stripe) {
    if (nested) throw corrupt('an arithmetic-coded block has stripes within stripes')
    return decodeStripes(cursor, rawSize, (part, size) => decode(part, size, true))
  }
  const packMap = flags & flag.pack ? readPackMap(cursor, rawSize) : undefined
  const size = packMap?.packedBytes ?? rawSize
  let data: Uint8Array
  if (flags & flag.cat) data = cursor.take(size)
  else if (size === 0) data = new Uint8Array(0)
  else if (flags & flag.external) data = decodeBzip2(cursor.take(cursor.left), size)
  else if (flags & flag.rle) data = decodeRuns(cursor, size, (flags & flag.order) !== 0)
  else data = decodeSymbols(cursor, size, (flags & flag.order) !== 0)
  return packMap ? unpack(data, packMap, rawSize) : data
}

function decodeSymbols(cursor: Cursor, size: number, order1: boolean): Uint8Array {
  const symbols = cursor.uint8() || 256
  const models = new Models(symbols)
  const coder = new RangeDecoder(cursor)
  const out = new Uint8Array(size)
  for (let i = 0, last = 0; i < size; i++) {
    out[i] = models.at(last).decode(coder)
    if (order1) last = out[i]!
  }
  return out
}

/** A run length comes after each symbol, in parts of at most 3; the first part's context is the symbol itself. */
function decodeRuns(cursor: Cursor, size: number, order1: boolean): Uint8Array {
  const symbols = cursor.uint8() || 256
  const literals = new Models(symbols)
  const lengths = new Models(4)
  const coder = new RangeDecoder(cursor)
  const out = new Uint8Array(size)
  for (let i = 0, last = 0; i < size;) {
    const symbol = literals.at(last).decode(coder)
    if (order1) last = symbol
    let part = lengths.at(symbol).decode(coder)
    let end = i + 1 + part
    for (let context = 256; part === 3 && end <= size; context = 257) {
      part = lengths.at(context).decode(coder)
      end += part
    }
    if (end > size) throw corrupt('the runs of an arithmetic-coded block are longer than it')
    out.fill(symbol, i, end)
    i = end
  }
  return out
}

class RangeDecoder {
  readonly #bytes: Uint8Array
  #at: number
  #range = 0xffffffff
  #code = 0

  constructor(cursor: Cursor) {
    this.#bytes = cursor.bytes
    // The first of the five bytes is the encoder's carry: shifted out at once.
    this.#at = cursor.at + 1
    if (cursor.left < 5) throw pastEnd()
    for (let i = 0; i < 4; i++) this.#code = this.#code * 256 + this.#bytes[this.#at++]!
  }

  /** Where in a total of frequencies the next symbol lies. */
  place(total: number): number {
    this.#range = Math.floor(this.#range / total)
    return Math.floor(this.#code / this.#range)
  }

  take(begin: number, frequency: number): void {
    this.#code -= begin * this.#range
    this.#range *= frequency
    while (this.#range < 1 << 24) {
      if (this.#at >= this.#bytes.length) throw pastEnd()
      this.#range *= 256
      this.#code = this.#code * 256 + this.#bytes[this.#at++]!
    }
  }
}

/** The models of each context, made when they are first used. */
class Models {
  readonly #symbols: number
  readonly #models: (Model | undefined)[] = []

  constructor(symbols: number) {
    this.#symbols = symbols
  }

  at(context: number): Model {
    return (this.#models[context] ??= new Model(this.#symbols))
  }
}

const step = 16
const maxTotal = 65536 - 17

/** Frequencies that follow what is decoded, the frequent symbols towards the front (CRAMcodecs §4.1). */
class Model {
  readonly #symbols: Uint16Array
  readonly #frequencies: Uint32Array
  #total: number

  constructor(size: number) {
    this.#symbols = Uint16Array.from({ length: size }, (_, i) => i)
    this.#frequencies = new Uint32Array(size).fill(1)
    this.#total = size
  }

  decode(coder: RangeDecoder): number {
    const frequencies = this.#frequencies
    const place = coder.place(this.#total)
    let x = 0
    let begin = 0
    while (begin + frequencies[x]! <= place) {
      begin += frequencies[x++]!
      if (x === frequencies.length) throw corrupt('an arithmetic-coded block holds a symbol that cannot be')
    }
    coder.take(begin, frequencies[x]!)
    frequencies[x]! += step
    this.#total += step
    if (this.#total > maxTotal) this.#halve()
    const symbol = this.#symbols[x]!
    if (x > 0 && frequencies[x]! > frequencies[x - 1]!) {
      const frequency = frequencies[x]!
      frequencies[x] = frequencies[x - 1]!
      frequencies[x - 1] = frequency
      this.#symbols[x] = this.#symbols[x - 1]!
      this.#symbols[x - 1] = symbol
    }
    return symbol
  }

  #halve(): void {
    this.#total = 0
    for (let i = 0; i < this.#frequencies.length; i++) {
      const frequency = this.#frequencies[i]! - (this.#frequencies[i]! >>> 1)
      this.#frequencies[i] = frequency
      this.#total += frequency
    }
  }
}

const pastEnd = () => corrupt('an arithmetic-coded block ends before its last symbol')
