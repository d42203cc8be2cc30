import { corrupt } from '../cramErrors.ts'
import { Cursor } from '../Cursor.ts'
import { eachSymbol } from './eachSymbol.ts'
import { readPackMap, unpack } from './pack.ts'
import { decodeStripes } from './stripes.ts'

const flag = { order: 1, n32: 4, stripe: 8, noSize: 16, cat: 32, rle: 64, pack: 128 } as const

const lowest = 1 << 15

/** Frequencies, packed: (what a symbol has << 16) + where its range begins, and the symbol of each place. */
interface Table {
  readonly bits: number
  readonly packed: Uint32Array
  readonly symbol: Uint8Array
}

/**
 * Decodes rANS Nx16 with its transformations (CRAMcodecs §3) to exactly `rawSize` bytes.
 * @throws HtsvaultError CRAM_CORRUPT
 */
export function decodeRansNx16(bytes: Uint8Array, rawSize: number): Uint8Array {
  return decode(new Cursor(bytes), rawSize, false)
}

function decode(cursor: Cursor, rawSize: number, nested: boolean): Uint8Array {
  const flags = cursor.uint8()
  if (!(flags & flag.noSize) && cursor.uint7() !== rawSize)
    throw corrupt('a rANS block declares two different sizes')
  if (flags & flag.stripe) {
    if (nested) throw corrupt('a rANS block has stripes within stripes')
    return decodeStripes(cursor, rawSize, (part, size) => decode(part, size, true))
  }
  const lanes = flags & flag.n32 ? 32 : 4
  const packMap = flags & flag.pack ? readPackMap(cursor, rawSize) : undefined
  const unpackedRuns = packMap?.packedBytes ?? rawSize
  const runs = flags & flag.rle ? readRuns(cursor, unpackedRuns, lanes) : undefined
  const size = runs?.literals ?? unpackedRuns

  let data: Uint8Array
  if (flags & flag.cat) data = cursor.take(size)
  else if (size === 0) data = new Uint8Array(0)
  else if (flags & flag.order) data = decodeOrder1(cursor, size, lanes)
  else data = decodeOrder0(cursor, size, lanes)

  if (runs) data = expandRuns(data, runs, unpackedRuns)
  return packMap ? unpack(data, packMap, rawSize) : data
}

function decodeOrder0(cursor: Cursor, size: number, lanes: number): Uint8Array {
  const frequencies = new Uint32Array(256)
  for (const symbol of readAlphabet(cursor)) frequencies[symbol] = cursor.uint7()
  const { packed, symbol } = makeTable(frequencies, 12)
  const states = readStates(cursor, lanes)
  const { bytes } = cursor
  let { at } = cursor
  const out = new Uint8Array(size)
  for (let i = 0; i < size; i++) {
    const lane = i & (lanes - 1)
    let state = states[lane]!
    const place = state & 4095
    const s = symbol[place]!
    out[i] = s
    const p = packed[s]!
    state = (p >>> 16) * (state >>> 12) + place - (p & 0xffff)
    if (state < lowest) {
      if (at + 2 > bytes.length) throw pastEnd()
      state = state * 65536 + bytes[at]! + bytes[at + 1]! * 256
      at += 2
    }
    states[lane] = state
  }
  cursor.at = at
  return out
}

function decodeOrder1(cursor: Cursor, size: number, lanes: number): Uint8Array {
  const { tables, bits } = readTables(cursor)
  const states = readStates(cursor, lanes)
  const last = new Uint8Array(lanes)
  const { bytes } = cursor
  let { at } = cursor
  const out = new Uint8Array(size)
  const mask = (1 << bits) - 1

  const step = (lane: number, to: number): void => {
    const table = tables[last[lane]!]
    if (!table) throw corrupt('a rANS block uses a context that it does not describe')
    let state = states[lane]!
    const place = state & mask
    const s = table.symbol[place]!
    out[to] = s
    const p = table.packed[s]!
    state = (p >>> 16) * (state >>> bits) + place - (p & 0xffff)
    if (state < lowest) {
      if (at + 2 > bytes.length) throw pastEnd()
      state = state * 65536 + bytes[at]! + bytes[at + 1]! * 256
      at += 2
    }
    states[lane] = state
    last[lane] = s
  }
  const part = Math.floor(size / lanes)
  for (let i = 0; i < part; i++) for (let lane = 0; lane < lanes; lane++) step(lane, i + lane * part)
  for (let i = part * lanes; i < size; i++) step(lanes - 1, i)
  return out
}

function readTables(cursor: Cursor): { tables: (Table | undefined)[]; bits: number } {
  const first = cursor.uint8()
  const bits = first >>> 4
  if (bits !== 10 && bits !== 12) throw corrupt('a rANS block has tables of a size that cannot be')
  let source = cursor
  if (first & 1) {
    const size = cursor.uint7()
    // 256 contexts of 256 frequencies of two bytes, and the alphabet: a bound, not a format.
    if (size > 256 * 256 * 3 + 1024) throw corrupt('the frequency tables of a rANS block are too long')
    const packed = cursor.take(cursor.uint7())
    source = new Cursor(decodeOrder0(new Cursor(packed), size, 4))
  }
  const alphabet = readAlphabet(source)
  const tables: (Table | undefined)[] = []
  for (const context of alphabet) {
    const frequencies = new Uint32Array(256)
    let zeros = 0
    for (const symbol of alphabet)
      if (zeros > 0) zeros--
      else {
        const frequency = source.uint7()
        frequencies[symbol] = frequency
        if (frequency === 0) zeros = source.uint8()
      }
    tables[context] = makeTable(frequencies, bits)
  }
  return { tables, bits }
}

/** Scales frequencies that sum to a smaller power of two up to 2^bits, and lays their ranges out. */
function makeTable(frequencies: Uint32Array, bits: number): Table {
  const size = 1 << bits
  let sum = 0
  for (const frequency of frequencies) sum += frequency
  if (sum > size) throw corrupt('the frequencies of a rANS block are over their total')
  let shift = 0
  while (sum > 0 && sum < size) {
    sum *= 2
    shift++
  }
  if (sum > size) throw corrupt('the frequencies of a rANS block are not a power of two')
  const packed = new Uint32Array(256)
  const symbol = new Uint8Array(size)
  let begin = 0
  for (let s = 0; s < 256; s++) {
    const frequency = frequencies[s]! << shift
    if (frequency === 0) continue
    packed[s] = frequency * 65536 + begin
    symbol.fill(s, begin, begin + frequency)
    begin += frequency
  }
  return { bits, packed, symbol }
}

function readAlphabet(cursor: Cursor): number[] {
  const alphabet: number[] = []
  eachSymbol(cursor, symbol => alphabet.push(symbol))
  return alphabet
}

function readStates(cursor: Cursor, lanes: number): Float64Array {
  // Float64: a state may pass 2^31 in a damaged block, and integers that float are exact.
  const states = new Float64Array(lanes)
  for (let i = 0; i < lanes; i++) states[i] = cursor.uint32()
  return states
}

interface Runs {
  /** Symbols before they are repeated. */
  readonly literals: number
  readonly repeated: Uint8Array
  readonly lengths: Cursor
}

/** CRAMcodecs §3.4: which symbols have run lengths, and these. */
function readRuns(cursor: Cursor, size: number, lanes: number): Runs {
  const lengthAndFlag = cursor.uint7()
  const literals = cursor.uint7()
  // Each literal gives one byte at least, and each run length takes five at most.
  if (literals > size || lengthAndFlag >>> 1 > 257 + 5 * literals)
    throw corrupt('the run lengths of a rANS block are too long')
  const length = lengthAndFlag >>> 1
  const meta =
    lengthAndFlag & 1
      ? cursor.take(length)
      : decodeOrder0(new Cursor(cursor.take(cursor.uint7())), length, lanes)
  const lengths = new Cursor(meta)
  const repeated = new Uint8Array(256)
  const count = lengths.uint8() || 256
  for (let i = 0; i < count; i++) repeated[lengths.uint8()] = 1
  return { literals, repeated, lengths }
}

function expandRuns(data: Uint8Array, { repeated, lengths }: Runs, size: number): Uint8Array {
  const out = new Uint8Array(size)
  let to = 0
  for (const symbol of data) {
    const end = to + 1 + (repeated[symbol] ? lengths.uint7() : 0)
    if (end > size) throw corrupt('the runs of a rANS block are longer than it')
    out.fill(symbol, to, end)
    to = end
  }
  if (to !== size) throw corrupt('the runs of a rANS block are shorter than it')
  return out
}

const pastEnd = () => corrupt('a rANS block ends before its last symbol')
