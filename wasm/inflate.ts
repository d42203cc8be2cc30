/**
 * Raw DEFLATE (RFC 1951) for one BGZF block: at most 64 KiB in, at most 64 KiB of known length out. AssemblyScript:
 * `npm run wasm` compiles it to `shared/bgzf/inflateModule.ts`.
 *
 * Input and output each have slack behind them, so that the hot loop checks both ends once a symbol: what it reads or
 * writes too far is within the slack, and the block is refused before it goes on. All memory is laid out here; nothing
 * is ever allocated.
 */

// Where things are in memory, in bytes; the compiler puts the constant tables at 0x400.
const lengthsAt: usize = 0x800 // code lengths, u8 x 320
const countsAt: usize = 0x980 // symbols of each code length, u16 x 16
const startsAt: usize = 0x9a0 // where each code length starts in `sorted`, u16 x 16
const sortedAt: usize = 0xa00 // symbols in the order of their codes, u16 x 320
const metaAt: usize = 0xc80 // table of the code that tells code lengths, u32 x 128
const litAt: usize = 0x1000 // table of literals and lengths, u32 x (2048 + 143 x 16)
const distAt: usize = 0x6000 // table of distances, u32 x (512 + 15 x 64)
/** The compressed bytes: up to 64 KiB and 256 bytes of slack. */
export const inputAt: usize = 0x10000
/** The plain bytes: up to 64 KiB and slack up to the end of memory. */
export const outputAt: usize = 0x20100

/*
 * An entry of a table. All: bits 0 to 4, how many bits to drop.
 * Literal: isLiteral, and the symbol in bits 16 to 23. Of the code for code lengths: the symbol in bits 16 and on.
 * Length or distance: bits 8 to 11, how many of the dropped bits are the code's; bits 16 to 31, the least value, to
 * which the other dropped bits are added.
 * isSub, a code longer than the table has bits: bits 8 to 11, bits of the subtable; bits 16 to 31, where it starts.
 * isEnd, end of the block. isBad, no such code.
 */
const isBad: u32 = 0x80
const isSub: u32 = 0x2000
const isEnd: u32 = 0x4000
const isLiteral: u32 = 0x8000

/** Bits of the code with which a table is entered. */
const litBits: u32 = 11
const distBits: u32 = 9
const metaBits: u32 = 7

// What a table's symbols stand for.
const metaSymbols: i32 = 0
const litSymbols: i32 = 1
const distSymbols: i32 = 2

/** Of length symbols 257 to 285: the least length in bits 16 and on, extra bits below (RFC 1951 §3.2.5). */
const lengthCodes = memory.data<u32>([
  0x030000, 0x040000, 0x050000, 0x060000, 0x070000, 0x080000, 0x090000, 0x0a0000, 0x0b0001, 0x0d0001,
  0x0f0001, 0x110001, 0x130002, 0x170002, 0x1b0002, 0x1f0002, 0x230003, 0x2b0003, 0x330003, 0x3b0003,
  0x430004, 0x530004, 0x630004, 0x730004, 0x830005, 0xa30005, 0xc30005, 0xe30005, 0x1020000,
])

/** The order in which a dynamic block gives the lengths of the code for code lengths (§3.2.7). */
const metaOrder = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])

/** Bits that were read and not yet used, lowest first. Above `bitCount` there may be bits that will be read again. */
let bits: u64 = 0
let bitCount: u32 = 0
/** Where the next byte is read, and how far that may come: 8 bytes behind the input, as bits are read ahead. */
let next: usize = 0
let limit: usize = 0
let out: usize = 0
let outEnd: usize = 0

/** Whether the `inSize` bytes at `inputAt` inflate to exactly `outSize` bytes, which are then at `outputAt`. */
export function inflate(inSize: u32, outSize: u32): bool {
  bits = 0
  bitCount = 0
  next = inputAt
  limit = inputAt + inSize + 8
  out = outputAt
  outEnd = outputAt + outSize
  let last: u32
  do {
    refill()
    if (next > limit) return false
    last = take(1)
    const type = take(2)
    if (type == 0) {
      if (!copyStored()) return false
    } else {
      if (type == 1) readFixed()
      else if (type == 3 || !readDynamic()) return false
      if (!decode()) return false
    }
  } while (last == 0)
  return out == outEnd && next - (bitCount >> 3) <= inputAt + inSize
}

/** From here on there are at least 56 bits. */
function refill(): void {
  bits |= load<u64>(next) << bitCount
  next += (63 - bitCount) >> 3
  bitCount |= 56
}

function take(n: u32): u32 {
  const value = (<u32>bits) & ((1 << n) - 1)
  bits >>= n
  bitCount -= n
  return value
}

/** A block without compression (§3.2.4). */
function copyStored(): bool {
  // Back to the first whole byte that was not used.
  next -= bitCount >> 3
  bits = 0
  bitCount = 0
  const end = limit - 8
  if (next + 4 > end) return false
  const size: u32 = load<u16>(next)
  if (size != (load<u16>(next, 2) ^ 0xffff)) return false
  next += 4
  if (next + size > end || out + size > outEnd) return false
  memory.copy(out, next, size)
  next += size
  out += size
  return true
}

/** The codes that need no telling (§3.2.6). */
function readFixed(): void {
  memory.fill(lengthsAt, 8, 144)
  memory.fill(lengthsAt + 144, 9, 112)
  memory.fill(lengthsAt + 256, 7, 24)
  memory.fill(lengthsAt + 280, 8, 8)
  buildTable(litSymbols, lengthsAt, 288, litAt, litBits)
  memory.fill(lengthsAt, 5, 32)
  buildTable(distSymbols, lengthsAt, 32, distAt, distBits)
}

/** The codes that a block tells (§3.2.7); false where they are none. */
function readDynamic(): bool {
  const literals = take(5) + 257
  const distances = take(5) + 1
  const metas = take(4) + 4
  if (literals > 286 || distances > 30) return false
  memory.fill(lengthsAt, 0, 19)
  for (let i: u32 = 0; i < metas; i++) {
    if (i == 10) refill()
    store<u8>(lengthsAt + load<u8>(metaOrder + i), <u8>take(3))
  }
  if (!buildTable(metaSymbols, lengthsAt, 19, metaAt, metaBits)) return false
  const total = literals + distances
  for (let i: u32 = 0; i < total;) {
    refill()
    if (next > limit) return false
    const entry = load<u32>((<usize>((<u32>bits) & ((1 << metaBits) - 1))) << 2, metaAt)
    if (entry & isBad) return false
    take(entry & 31)
    const symbol = entry >> 16
    if (symbol < 16) {
      store<u8>(lengthsAt + i++, <u8>symbol)
      continue
    }
    let length: u8 = 0
    let run: u32
    if (symbol == 16) {
      if (i == 0) return false
      length = load<u8>(lengthsAt + i - 1)
      run = 3 + take(2)
    } else run = symbol == 17 ? 3 + take(3) : 11 + take(7)
    if (i + run > total) return false
    memory.fill(lengthsAt + i, length, run)
    i += run
  }
  // A block that cannot end is none.
  if (load<u8>(lengthsAt + 256) == 0) return false
  return (
    buildTable(litSymbols, lengthsAt, literals, litAt, litBits) &&
    buildTable(distSymbols, lengthsAt + literals, distances, distAt, distBits)
  )
}

// The tables' places are offsets within the instructions: a load is one instruction then.
/** Where the lowest bits of a code lead in the table of literals and lengths. */
function litEntry(code: u32): u32 {
  return load<u32>((<usize>(code & ((1 << litBits) - 1))) << 2, litAt)
}

function distEntry(code: u32): u32 {
  return load<u32>((<usize>(code & ((1 << distBits) - 1))) << 2, distAt)
}

/** The number of the entry to which the rest of a code leads in the subtable that `entry` tells. */
function subEntry(entry: u32, rest: u32): usize {
  return (entry >> 16) + (rest & ((1 << (entry >> 8)) - 1))
}

/**
 * Makes the table of a prefix code from the code length of each symbol (§3.2.2). False where the lengths make none:
 * too many codes, or too few, but for a code of a single symbol or none.
 */
function buildTable(kind: i32, lengths: usize, symbols: u32, table: usize, tableBits: u32): bool {
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
  for (let i: u32 = 0; i < symbols; i++) {
    const length: usize = load<u8>(lengths + i)
    if (length == 0) continue
    const at = startsAt + (length << 1)
    const place: usize = load<u16>(at)
    store<u16>(sortedAt + (place << 1), <u16>i)
    store<u16>(at, <u16>(place + 1))
  }

  // Codes are read lowest bit first: `code` has its bits reversed. A table of n bits is twice the one of n - 1.
  let code: u32 = 0
  let symbolAt = sortedAt
  let length: u32 = 1
  store<u32>(table, isBad)
  for (; length <= tableBits; length++) {
    const half: usize = 2 << length
    memory.copy(table + half, table, half)
    for (let n = countOf(length); n > 0; n--) {
      store<u32>(table + (code << 2), entryOf(kind, load<u16>(symbolAt), length))
      symbolAt += 2
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
        store<u32>(table + (prefix << 2), isSub | tableBits | (subBits << 8) | (sub << 16))
      }
      const entry = entryOf(kind, load<u16>(symbolAt), length - tableBits)
      symbolAt += 2
      for (let i = sub + (code >> tableBits); i < subEnd; i += step) store<u32>(table + (i << 2), entry)
      code = codeAfter(code, length)
    }
  }
  return true
}

function countOf(length: u32): u32 {
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

function entryOf(kind: i32, symbol: u32, codeBits: u32): u32 {
  if (kind == metaSymbols) return (symbol << 16) | codeBits
  if (kind == litSymbols) {
    if (symbol < 256) return (symbol << 16) | isLiteral | codeBits
    if (symbol == 256) return isEnd | codeBits
    if (symbol > 285) return isBad
    return load<u32>(lengthCodes + ((symbol - 257) << 2)) + ((codeBits << 8) | codeBits)
  }
  if (symbol > 29) return isBad
  const extra = max(<i32>(symbol >> 1) - 1, 0)
  const least = symbol < 2 ? symbol + 1 : ((2 + (symbol & 1)) << extra) + 1
  return (least << 16) | (codeBits << 8) | (codeBits + extra)
}

/** The value of a length or distance whose code `b` starts with. */
function valueOf(entry: u32, b: u64): u32 {
  return (entry >> 16) + (((<u32>b) & ((1 << entry) - 1)) >> (entry >> 8))
}

/**
 * The symbols of a block up to its end. Only the low six bits of `n` count: an entry is subtracted from it whole, and
 * shifts take their count modulo 64 (or 32), so that nothing need be masked. The entry of the next symbol is looked up
 * before a match is copied, so that the processor need not wait for the one to begin the other.
 */
function decode(): bool {
  let b = bits
  let n = bitCount
  let p = next
  let o = out
  const inLimit = limit
  const end = outEnd
  b |= load<u64>(p) << n
  p += (~n & 63) >> 3
  n |= 56
  let entry = litEntry(<u32>b)
  while (true) {
    if (u32(p > inLimit) | u32(o > end)) return false
    // `entry` was looked up in 56 bits or more. Three literals are at most 33 of them; a length that follows two, with
    // its extra bits, 42.
    if (entry & isLiteral) {
      store<u8>(o++, <u8>(entry >> 16))
      b >>= entry
      n -= entry
      entry = litEntry(<u32>b)
      if (entry & isLiteral) {
        store<u8>(o++, <u8>(entry >> 16))
        b >>= entry
        n -= entry
        entry = litEntry(<u32>b)
        if (entry & isLiteral) {
          store<u8>(o++, <u8>(entry >> 16))
          b >>= entry
          n -= entry
          b |= load<u64>(p) << n
          p += (~n & 63) >> 3
          n |= 56
          entry = litEntry(<u32>b)
          continue
        }
      }
    }
    if (entry & (isSub | isEnd | isBad)) {
      if (entry & isSub) {
        b >>= entry
        n -= entry
        entry = load<u32>(subEntry(entry, <u32>b) << 2, litAt)
        if (entry & isLiteral) {
          store<u8>(o++, <u8>(entry >> 16))
          b >>= entry
          n -= entry
          b |= load<u64>(p) << n
          p += (~n & 63) >> 3
          n |= 56
          entry = litEntry(<u32>b)
          continue
        }
      }
      if (entry & isBad) return false
      if (entry & isEnd) {
        bits = b >> entry
        bitCount = (n - entry) & 63
        next = p
        out = o
        return true
      }
    }
    const length = valueOf(entry, b)
    b >>= entry
    n -= entry

    // A distance is at most 28 bits, and nearly always they are there.
    if ((n & 63) < 28) {
      b |= load<u64>(p) << n
      p += (~n & 63) >> 3
      n |= 56
    }
    entry = distEntry(<u32>b)
    if (entry & (isSub | isBad)) {
      if (entry & isBad) return false
      b >>= entry
      n -= entry
      entry = load<u32>(subEntry(entry, <u32>b) << 2, distAt)
      if (entry & isBad) return false
    }
    const distance: usize = valueOf(entry, b)
    b >>= entry
    n -= entry
    if (distance > o - outputAt) return false
    b |= load<u64>(p) << n
    p += (~n & 63) >> 3
    n |= 56
    entry = litEntry(<u32>b)
    copyMatch(o, distance, o + length)
    o += length
  }
}

/** Repeats what was written `distance` bytes before, a word at a time: up to 31 bytes past `end`, into what is still
 * to be written or the slack. Most matches are shorter than 32 bytes: one branch less to guess. */
function copyMatch(to: usize, distance: usize, end: usize): void {
  if (distance >= 16) {
    v128.store(to, v128.load(to - distance))
    v128.store(to + 16, v128.load(to + 16 - distance))
    to += 32
    while (to < end) {
      v128.store(to, v128.load(to - distance))
      to += 16
    }
  } else if (distance == 1) {
    const byte = i8x16.splat(load<u8>(to - 1))
    do {
      v128.store(to, byte)
      to += 16
    } while (to < end)
  } else {
    // Of a word that overlaps itself the first `distance` bytes are right.
    const step = min(distance, 8)
    do {
      store<u64>(to, load<u64>(to - distance))
      to += step
    } while (to < end)
  }
}
