import {
  bad,
  distAt,
  done,
  inBlock,
  lastAt,
  lengthsAt,
  litAt,
  metaAt,
  outAt,
  outEndAt,
  peek,
  posAt,
  posEndAt,
  stateAt,
} from './memory'
import { buildTable, distSymbols, isBad, litSymbols, metaBits, metaSymbols } from './prefixCode'
import { buildSteps } from './steps'

/** The order in which a dynamic block gives the lengths of the code for code lengths (RFC 1951 §3.2.7). */
const metaOrder = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])

/** Goes on to the symbols of the lane's next block, or to the end; tells in the lane's state how it went. */
export function openBlock(lane: usize): void {
  store<u32>(lane, nextBlock(lane), stateAt)
}

function nextBlock(lane: usize): u32 {
  while (true) {
    const pos = load<u32>(lane, posAt)
    if (pos > load<u32>(lane, posEndAt)) return bad
    if (load<u32>(lane, lastAt)) return load<u32>(lane, outAt) == load<u32>(lane, outEndAt) ? done : bad
    const head = <u32>peek(pos)
    store<u32>(lane, head & 1, lastAt)
    store<u32>(lane, pos + 3, posAt)
    const type = (head >> 1) & 3
    if (type == 0) {
      if (!copyStored(lane)) return bad
    } else if (type == 1) {
      readFixed(lane)
      return inBlock
    } else return type == 2 && readDynamic(lane) ? inBlock : bad
  }
  return bad
}

/** A block without compression (§3.2.4). */
function copyStored(lane: usize): bool {
  const from = (load<u32>(lane, posAt) + 7) >> 3
  const sizes = load<u32>(from)
  const size = sizes & 0xffff
  if (size != ((sizes >> 16) ^ 0xffff)) return false
  const out = load<u32>(lane, outAt)
  const end = (from + 4 + size) << 3
  if (end > load<u32>(lane, posEndAt) || out + size > load<u32>(lane, outEndAt)) return false
  memory.copy(out, from + 4, size)
  store<u32>(lane, end, posAt)
  store<u32>(lane, out + size, outAt)
  return true
}

/** The codes that need no telling (§3.2.6). */
function readFixed(lane: usize): void {
  memory.fill(lengthsAt, 8, 144)
  memory.fill(lengthsAt + 144, 9, 112)
  memory.fill(lengthsAt + 256, 7, 24)
  memory.fill(lengthsAt + 280, 8, 8)
  buildTable(litSymbols, lengthsAt, 288, lane + litAt)
  buildSteps(lane, 288)
  memory.fill(lengthsAt, 5, 32)
  buildTable(distSymbols, lengthsAt, 32, lane + distAt)
}

/** The codes that a block tells (§3.2.7); false where they are none. */
function readDynamic(lane: usize): bool {
  let pos = load<u32>(lane, posAt)
  const end = load<u32>(lane, posEndAt)
  let bits = peek(pos)
  const literals = ((<u32>bits) & 31) + 257
  const distances = (((<u32>bits) >> 5) & 31) + 1
  const metas = (((<u32>bits) >> 10) & 15) + 4
  if (literals > 286 || distances > 30) return false
  pos += 14
  bits = peek(pos)
  memory.fill(lengthsAt, 0, 19)
  for (let i: u32 = 0; i < metas; i++) {
    store<u8>(lengthsAt + load<u8>(metaOrder + i), (<u8>bits) & 7)
    // Nineteen times three bits are 57.
    bits >>= 3
  }
  pos += 3 * metas
  if (!buildTable(metaSymbols, lengthsAt, 19, metaAt)) return false
  const total = literals + distances
  for (let i: u32 = 0; i < total;) {
    if (pos > end) return false
    bits = peek(pos)
    const entry = load<u32>((<usize>((<u32>bits) & ((1 << metaBits) - 1))) << 2, metaAt)
    if (entry & isBad) return false
    pos += entry & 31
    const symbol = entry >> 16
    if (symbol < 16) {
      store<u8>(lengthsAt + i++, <u8>symbol)
      continue
    }
    const more = <u32>(bits >> entry)
    let length: u8 = 0
    let run: u32
    if (symbol == 16) {
      if (i == 0) return false
      length = load<u8>(lengthsAt + i - 1)
      run = 3 + (more & 3)
      pos += 2
    } else if (symbol == 17) {
      run = 3 + (more & 7)
      pos += 3
    } else {
      run = 11 + (more & 127)
      pos += 7
    }
    if (i + run > total) return false
    memory.fill(lengthsAt + i, length, run)
    i += run
  }
  store<u32>(lane, pos, posAt)
  // A block that cannot end is none.
  if (load<u8>(lengthsAt + 256) == 0) return false
  if (!buildTable(litSymbols, lengthsAt, literals, lane + litAt)) return false
  buildSteps(lane, literals)
  return buildTable(distSymbols, lengthsAt + literals, distances, lane + distAt)
}
