import { codesAt, lengthsAt, litBitsAt, singlesAt, sortedAt, stepsAt } from './memory'
import { coded, countOf, lengthCode, litBits, oneLiteral } from './prefixCode'

/** Makes the table of steps, right after that of literals and lengths was made, of so many symbols. */
export function buildSteps(lane: usize, symbols: u32): void {
  store<u32>(lane, litBits, litBitsAt)
  addLongLengths(min(symbols, 285))
  memory.copy(lane + stepsAt, singlesAt, 4 << litBits)
  addPairs(lane + stepsAt)
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
    const alone = i32x4.splat((symbol << 8) | oneLiteral | codeBits)
    const added = i32x4.splat(oneLiteral | codeBits)
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
