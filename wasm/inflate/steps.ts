import { codesAt, lengthsAt, litAt, litBitsAt, singlesAt, sortedAt, stepsAt } from './memory'
import { coded, countOf, isLiteral, lengthCode, litBits } from './prefixCode'

/*
 * A step is what the next 10 to 12 bits of the input, `litBits`, stand for as far as they go: up to two literals, or up to one and the
 * length of a match. One lookup for two symbols, and no branch that would have to be guessed: a literal and a length
 * follow each other as coins fall.
 *
 * A step, u32: bits 0 to 3, how many bits to drop; bits 6 and 7, how many literals; bits 8 to 23, those; bits 24 to 31,
 * the length, 0 without a match. 0 is none: the end, a code of more bits, a length of more or of over 255.
 */
/** Makes the table of steps from that of literals and lengths, right after that was made, of so many symbols. */
export function buildSteps(lane: usize, symbols: u32): void {
  store<u32>(lane, litBits, litBitsAt)
  buildSingles(lane + litAt)
  addLongLengths(min(symbols, 285))
  memory.copy(lane + stepsAt, singlesAt, 4 << litBits)
  addPairs(lane + stepsAt)
}

/** The steps of one symbol: literals, and lengths to which no bits are added. */
function buildSingles(table: usize): void {
  for (let at: usize = 0; at < <usize>(4 << litBits); at += 16) {
    const entry = v128.load(table + at)
    const bits = v128.and(entry, i32x4.splat(31))
    const literal = v128.or(
      v128.or(bits, i32x4.splat(0x40)),
      v128.and(i32x4.shr_u(entry, 8), i32x4.splat(0xff00)),
    )
    const length = v128.or(bits, i32x4.shl(i32x4.shr_u(entry, 16), 24))
    // All bits are the code's, there is no flag, and the length fits.
    const isLength = v128.and(
      i32x4.eq(v128.and(i32x4.shr_u(entry, 8), i32x4.splat(0xff)), bits),
      i32x4.lt_u(entry, i32x4.splat(0x1000000)),
    )
    const literals = i32x4.ne(v128.and(entry, i32x4.splat(isLiteral)), i32x4.splat(0))
    v128.store(at, v128.bitselect(literal, v128.and(length, isLength), literals), singlesAt)
  }
}

/** Lengths to which bits are added, where code and bits fit: then the step has the sum. */
function addLongLengths(symbols: u32): void {
  for (let symbol: u32 = 265; symbol < symbols; symbol++) {
    const codeBits: u32 = load<u8>(lengthsAt + symbol)
    const extra = lengthCode(symbol) & 0xff
    const bits = codeBits + extra
    if (codeBits == 0 || bits > litBits) continue
    const code: u32 = load<u16>(codesAt + (symbol << 1))
    const least = lengthCode(symbol) >> 16
    const mask: u32 = (1 << extra) - 1
    for (let rest: u32 = 0; rest < <u32>(1 << (litBits - codeBits)); rest++)
      store<u32>((code | (rest << codeBits)) << 2, bits | ((least + (rest & mask)) << 24), singlesAt)
  }
}

/** Puts to each literal what follows it, where that fits. Symbols come with the shortest codes first. */
function addPairs(table: usize): void {
  let shortest: u32 = 1
  while (shortest < litBits && countOf(shortest) == 0) shortest++
  const end = sortedAt + (coded << 1)
  for (let at = sortedAt; at < end; at += 2) {
    const symbol: u32 = load<u16>(at)
    const codeBits: u32 = load<u8>(lengthsAt + symbol)
    // Four are made at once: two bits are left, then.
    if (codeBits + max<u32>(shortest, 2) > litBits) break
    if (symbol > 255) continue
    const room = i32x4.splat(litBits - codeBits)
    const alone = i32x4.splat((symbol << 8) | 0x40 | codeBits)
    const added = i32x4.splat(0x40 | codeBits)
    const literal = i32x4.splat(symbol << 8)
    const stride: usize = 4 << codeBits
    let to = table + ((<usize>load<u16>(codesAt + (symbol << 1))) << 2)
    for (let rest: usize = 0; rest < <usize>(4 << (litBits - codeBits)); rest += 16) {
      const next = v128.load(rest, singlesAt)
      const fits = v128.and(i32x4.le_s(v128.and(next, i32x4.splat(15)), room), i32x4.ne(next, i32x4.splat(0)))
      const both = v128.or(
        v128.or(literal, v128.and(i32x4.shl(next, 8), i32x4.splat(0xff0000))),
        v128.and(i32x4.add(next, added), i32x4.splat(0xff0000ff)),
      )
      const step = v128.bitselect(both, alone, fits)
      v128.store_lane<u32>(to, step, 0)
      to += stride
      v128.store_lane<u32>(to, step, 1)
      to += stride
      v128.store_lane<u32>(to, step, 2)
      to += stride
      v128.store_lane<u32>(to, step, 3)
      to += stride
    }
  }
}
