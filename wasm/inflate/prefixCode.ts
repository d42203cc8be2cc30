import { codesAt, countsAt, singlesAt, sortedAt, startsAt } from './memory'

/*
 * A table leads from the next bits of the input to the symbol whose code they start with (RFC 1951 §3.2.2). A code that
 * is longer than the table has bits goes on in a subtable.
 *
 * An entry for code lengths, and for literals and lengths, u32: bits 0 to 4, how many bits to drop.
 * Literal: isLiteral, and the symbol in bits 16 to 23. Of the code for code lengths: the symbol in bits 16 and on.
 * Length: bits 8 to 11, how many of the dropped bits are the code's; bits 16 to 31, the least value, to which the other
 * dropped bits are added.
 * isSub: bits 8 to 11, bits of the subtable; bits 16 to 31, where it starts.
 * isEnd, end of the block. isBad, no such code.
 *
 * Of a distance, u64, so that the hot loop reads each part by itself: u8 bits of the code, u8 bits to drop, u16 mask of
 * the bits that are added, u16 the least value, u16 where the subtable starts. The least value is 0 where there is none:
 * of a subtable the first part is its bits; and where nothing else is told, there is no such code.
 */
export const isBad: u32 = 0x80
export const isSub: u32 = 0x2000
export const isEnd: u32 = 0x4000
export const isLiteral: u32 = 0x8000
export const toDropAt: usize = 1
export const maskAt: usize = 2
export const leastAt: usize = 4
export const subAt: usize = 6

/*
 * A step is what the next bits of the input, `litBits` of them, stand for as far as they go: up to two literals, or up to
 * one and the length of a match. One lookup for two symbols, and no branch that would have to be guessed: a literal and
 * a length follow each other as coins fall.
 *
 * A step, u32: bits 0 to 3, how many bits to drop; bits 6 and 7, how many literals; bits 8 to 23, those; bits 24 to 31,
 * the length, 0 without a match. 0 is none: the end, a code of more bits, a length of more or of over 255.
 */
export const oneLiteral: u32 = 0x40

/** Bits of the code with which a table is entered; that of literals and lengths as its codes are long, `litBits`. */
const leastLitBits: u32 = 10
const mostLitBits: u32 = 12
export const distBits: u32 = 9
export const metaBits: u32 = 7

// What a table's symbols stand for.
export const metaSymbols: i32 = 0
export const litSymbols: i32 = 1
export const distSymbols: i32 = 2

/** Of length symbols 257 to 285: the least length in bits 16 and on, extra bits below (RFC 1951 §3.2.5). */
const lengthCodes = memory.data<u32>([
  0x030000, 0x040000, 0x050000, 0x060000, 0x070000, 0x080000, 0x090000, 0x0a0000, 0x0b0001, 0x0d0001,
  0x0f0001, 0x110001, 0x130002, 0x170002, 0x1b0002, 0x1f0002, 0x230003, 0x2b0003, 0x330003, 0x3b0003,
  0x430004, 0x530004, 0x630004, 0x730004, 0x830005, 0xa30005, 0xc30005, 0xe30005, 0x1020000,
])

/** How many symbols had a code in the table that was made last; `sortedAt` has them. */
export let coded: u32 = 0
/** Bits with which the table of literals and lengths is entered that was made last. */
export let litBits: u32 = 0

/**
 * Makes the table of a prefix code from the code length of each symbol (§3.2.2). False where the lengths make none:
 * too many codes, or too few, but for a code of a single symbol or none.
 */
export function buildTable(kind: i32, lengths: usize, symbols: u32, table: usize): bool {
  memory.fill(countsAt, 0, 32)
  for (let i: u32 = 0; i < symbols; i++) {
    const at = countsAt + ((<usize>load<u8>(lengths + i)) << 1)
    store<u16>(at, load<u16>(at) + 1)
  }
  let longest: u32 = 15
  while (longest > 0 && countOf(longest) == 0) longest--
  let free: i32 = 1
  let start: u32 = 0
  for (let length: u32 = 1; length <= longest; length++) {
    const count = countOf(length)
    free = (free << 1) - count
    if (free < 0) return false
    store<u16>(startsAt + (length << 1), <u16>start)
    start += count
  }
  if (free > 0 && (kind == metaSymbols || longest > 1)) return false
  coded = start
  for (let i: u32 = 0; i < symbols; i++) {
    const length: usize = load<u8>(lengths + i)
    if (length == 0) continue
    const at = startsAt + (length << 1)
    const place: usize = load<u16>(at)
    store<u16>(sortedAt + (place << 1), <u16>i)
    store<u16>(at, <u16>(place + 1))
  }

  let tableBits = kind == metaSymbols ? metaBits : distBits
  if (kind == litSymbols) tableBits = litBits = chooseLitBits()
  // Codes are read lowest bit first: `code` has its bits reversed. A table of n bits is twice the one of n - 1.
  const entryShift: u32 = kind == distSymbols ? 3 : 2
  let code: u32 = 0
  let symbolAt = sortedAt
  let length: u32 = 1
  if (kind == distSymbols) store<u64>(table, 0)
  else store<u32>(table, isBad)
  store<u32>(singlesAt, 0)
  for (; length <= tableBits; length++) {
    const half: usize = 1 << (length - 1 + entryShift)
    memory.copy(table + half, table, half)
    if (kind == litSymbols) memory.copy(singlesAt + half, singlesAt, half)
    for (let n = countOf(length); n > 0; n--) {
      const symbol: u32 = load<u16>(symbolAt)
      symbolAt += 2
      put(kind, table, code, symbol, length)
      if (kind == litSymbols) {
        store<u16>(codesAt + (symbol << 1), <u16>code)
        store<u32>(singlesAt + (code << 2), singleOf(symbol, length))
      }
      code = codeAfter(code, length)
    }
  }
  if (longest <= tableBits) return true

  const subBits = longest - tableBits
  const mask: u32 = (1 << tableBits) - 1
  let prefix: u32 = u32.MAX_VALUE
  let sub: u32 = 1 << tableBits
  let subEnd = sub
  for (; length <= longest; length++) {
    const step: u32 = 1 << (length - tableBits)
    for (let n = countOf(length); n > 0; n--) {
      if ((code & mask) != prefix) {
        prefix = code & mask
        sub = subEnd
        subEnd += 1 << subBits
        if (kind == distSymbols) store<u64>(table + (prefix << 3), ((<u64>sub) << 48) | subBits)
        else store<u32>(table + (prefix << 2), isSub | tableBits | (subBits << 8) | (sub << 16))
      }
      const symbol: u32 = load<u16>(symbolAt)
      symbolAt += 2
      for (let i = sub + (code >> tableBits); i < subEnd; i += step)
        put(kind, table, i, symbol, length - tableBits)
      code = codeAfter(code, length)
    }
  }
  return true
}

/**
 * The fewest with which no more than one symbol in 64 has a longer code, as frequent as its length says. A small table
 * is made quickly and stays in the nearest cache; a large one puts two symbols into a step more often.
 */
function chooseLitBits(): u32 {
  let longer: u32 = 0
  for (let length: u32 = 15; length >= mostLitBits; length--) longer += countOf(length) << (15 - length)
  let bits = mostLitBits
  longer -= countOf(bits) << (15 - bits)
  while (bits > leastLitBits) {
    longer += countOf(bits) << (15 - bits)
    if (longer > 1 << 9) break
    bits--
  }
  return bits
}

/** How many symbols have codes of this length, in the table that was made last. */
export function countOf(length: u32): u32 {
  return load<u16>(countsAt + (length << 1))
}

/** The reversed code that follows among those of this length: one is added at the highest bit and carried down. */
function codeAfter(code: u32, length: u32): u32 {
  const zeros = code ^ ((1 << length) - 1)
  // After the last code of all there is none.
  if (zeros == 0) return 0
  const bit: u32 = 1 << (31 - clz(zeros))
  return (code & (bit - 1)) | bit
}

function put(kind: i32, table: usize, index: u32, symbol: u32, codeBits: u32): void {
  if (kind == distSymbols) store<u64>(table + (index << 3), distanceEntry(symbol, codeBits))
  else store<u32>(table + (index << 2), entryOf(kind, symbol, codeBits))
}

function entryOf(kind: i32, symbol: u32, codeBits: u32): u32 {
  if (kind == metaSymbols) return (symbol << 16) | codeBits
  if (symbol < 256) return (symbol << 16) | isLiteral | codeBits
  if (symbol == 256) return isEnd | codeBits
  if (symbol > 285) return isBad
  return lengthCode(symbol) + ((codeBits << 8) | codeBits)
}

/** The step of a literal, or of a length to which no bits are added; 0 of others. */
function singleOf(symbol: u32, codeBits: u32): u32 {
  if (symbol < 256) return codeBits | oneLiteral | (symbol << 8)
  return symbol > 256 && symbol < 265 ? codeBits | ((symbol - 254) << 24) : 0
}

/** The least length that a symbol stands for, in bits 16 and on, and how many bits are added to it. */
export function lengthCode(symbol: u32): u32 {
  return load<u32>(lengthCodes + ((symbol - 257) << 2))
}

function distanceEntry(symbol: u32, codeBits: u32): u64 {
  if (symbol > 29) return 0
  const extra = max(<i32>(symbol >> 1) - 1, 0)
  const least = symbol < 2 ? symbol + 1 : ((2 + (symbol & 1)) << extra) + 1
  return ((<u64>least) << 32) | (((1 << extra) - 1) << 16) | ((codeBits + extra) << 8) | codeBits
}

/** The length whose code `bits` start with. */
export function lengthOf(entry: u32, bits: u64): u32 {
  return (entry >> 16) + (((<u32>bits) & ((1 << entry) - 1)) >> (entry >> 8))
}
