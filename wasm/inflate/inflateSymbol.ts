import { copyMatch } from './copyMatch'
import {
  bad,
  distAt,
  litAt,
  litBitsAt,
  outAt,
  outEndAt,
  peek,
  plainAt,
  posAt,
  posEndAt,
  stateAt,
} from './memory'
import {
  distBits,
  isBad,
  isEnd,
  isLiteral,
  isSub,
  leastAt,
  lengthOf,
  maskAt,
  subAt,
  toDropAt,
} from './prefixCode'

/** The lane's next symbol, whatever it is: false where it ends the block. What must not be is told in the state. */
export function inflateSymbol(lane: usize): bool {
  let pos = load<u32>(lane, posAt)
  let out: usize = load<u32>(lane, outAt)
  // A symbol and its distance are 48 bits at most.
  let bits = peek(pos)
  const litBits = load<u32>(lane, litBitsAt)
  let entry = load<u32>(lane + ((<usize>((<u32>bits) & ((1 << litBits) - 1))) << 2), litAt)
  if (entry & isSub) {
    bits = rotr<u64>(bits, litBits)
    pos += litBits
    entry = load<u32>(lane + (((entry >> 16) + ((<u32>bits) & ((1 << (entry >> 8)) - 1))) << 2), litAt)
  }
  pos += entry & 31
  if (entry & isEnd) {
    store<u32>(lane, pos, posAt)
    return false
  }
  let good = (entry & isBad) == 0
  if (entry & isLiteral) store<u8>(out++, <u8>(entry >> 16))
  else {
    const length = lengthOf(entry, bits)
    bits = rotr<u64>(bits, entry & 31)
    let dist = lane + ((<usize>((<u32>bits) & ((1 << distBits) - 1))) << 3)
    if (load<u16>(dist, distAt + leastAt) == 0) {
      const sub: u32 = load<u16>(dist, distAt + subAt)
      const subBits: u32 = load<u8>(dist, distAt)
      bits = rotr<u64>(bits, distBits)
      pos += distBits
      // Where there is none, the first of the table stands in.
      good = good && sub != 0
      dist = lane + ((<usize>(sub + ((<u32>bits) & ((1 << subBits) - 1)))) << 3)
    }
    const least: u32 = load<u16>(dist, distAt + leastAt)
    const added = (<u32>rotr<u64>(bits, load<u8>(dist, distAt))) & load<u16>(dist, distAt + maskAt)
    const distance: usize = least + added
    pos += load<u8>(dist, distAt + toDropAt)
    good = good && least != 0 && distance <= out - load<u32>(lane, plainAt)
    if (good) copyMatch(out, distance, out + length)
    out += length
  }
  store<u32>(lane, pos, posAt)
  store<u32>(lane, <u32>out, outAt)
  if (!good || pos > load<u32>(lane, posEndAt) || out > load<u32>(lane, outEndAt))
    store<u32>(lane, bad, stateAt)
  return true
}
