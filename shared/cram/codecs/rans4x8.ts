import { corrupt } from '../cramErrors.ts'
import { Cursor } from '../Cursor.ts'
import { eachSymbol } from './eachSymbol.ts'

const lowest = 1 << 23
const total = 4096

/**
 * Decodes rANS 4x8 (CRAMcodecs §2), order 0 or 1, to exactly `rawSize` bytes.
 * @throws HtsvaultError CRAM_CORRUPT
 */
export function decodeRans4x8(bytes: Uint8Array, rawSize: number): Uint8Array {
  const cursor = new Cursor(bytes)
  const order = cursor.uint8()
  cursor.uint32()
  if (cursor.uint32() !== rawSize) throw corrupt('a rANS block declares two different sizes')
  if (order > 1) throw corrupt('a rANS block has an order that cannot be')
  return order === 0 ? decodeOrder0(cursor, rawSize) : decodeOrder1(cursor, rawSize)
}

/** Frequencies of one context: what each symbol has, where its range begins, and the symbol of each place in it. */
interface Table {
  readonly frequency: Uint16Array
  readonly begin: Uint16Array
  readonly symbol: Uint8Array
}

function decodeOrder0(cursor: Cursor, rawSize: number): Uint8Array {
  const { frequency, begin, symbol } = readTable(cursor)
  const states = [cursor.uint32(), cursor.uint32(), cursor.uint32(), cursor.uint32()]
  const { bytes } = cursor
  let { at } = cursor
  const out = new Uint8Array(rawSize)
  for (let i = 0; i < rawSize; i++) {
    let state = states[i & 3]!
    const place = state & (total - 1)
    const s = symbol[place]!
    out[i] = s
    state = frequency[s]! * (state >>> 12) + place - begin[s]!
    while (state < lowest) {
      if (at >= bytes.length) throw pastEnd()
      state = state * 256 + bytes[at++]!
    }
    states[i & 3] = state
  }
  return out
}

function decodeOrder1(cursor: Cursor, rawSize: number): Uint8Array {
  const tables: (Table | undefined)[] = []
  eachSymbol(cursor, context => {
    tables[context] = readTable(cursor)
  })
  const states = [cursor.uint32(), cursor.uint32(), cursor.uint32(), cursor.uint32()]
  const last = [0, 0, 0, 0]
  const { bytes } = cursor
  let { at } = cursor
  const out = new Uint8Array(rawSize)
  const quarter = rawSize >>> 2

  const step = (lane: number, to: number): void => {
    const table = tables[last[lane]!]
    if (!table) throw corrupt('a rANS block uses a context that it does not describe')
    let state = states[lane]!
    const place = state & (total - 1)
    const s = table.symbol[place]!
    out[to] = s
    state = table.frequency[s]! * (state >>> 12) + place - table.begin[s]!
    while (state < lowest) {
      if (at >= bytes.length) throw pastEnd()
      state = state * 256 + bytes[at++]!
    }
    states[lane] = state
    last[lane] = s
  }
  for (let i = 0; i < quarter; i++) {
    step(0, i)
    step(1, i + quarter)
    step(2, i + 2 * quarter)
    step(3, i + 3 * quarter)
  }
  for (let i = 4 * quarter; i < rawSize; i++) step(3, i)
  return out
}

function readTable(cursor: Cursor): Table {
  const frequency = new Uint16Array(256)
  const begin = new Uint16Array(256)
  const symbol = new Uint8Array(total)
  let sum = 0
  eachSymbol(cursor, s => {
    const f = cursor.itf8()
    if (f < 0 || sum + f > total) throw corrupt('the frequencies of a rANS block are over 4096')
    frequency[s] = f
    begin[s] = sum
    symbol.fill(s, sum, sum + f)
    sum += f
  })
  return { frequency, begin, symbol }
}

const pastEnd = () => corrupt('a rANS block ends before its last symbol')
