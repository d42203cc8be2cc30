/**
 * Where the records of short VCF lines lie, as `shared/vcf/VcfLine.ts` reads them, for lines that have nothing unusual:
 * CHROM is that of the line before, POS has one to nine digits, FILTER ends within 64 bytes behind CHROM, INFO has no END.
 * AssemblyScript: `npm run wasm` compiles it to `shared/vcf/vcfLinesModule.ts`.
 */

/** CHROM and its tab. */
export const chromAt: usize = 0x400
export const chromBytes: u32 = 256
/**
 * Of each line: where it starts in the block, the first base of its record, 0-based, and the one after the last; u32.
 * Behind the last start is where the line starts that was not read.
 */
export const startsAt: usize = 0x1000
export const beginsAt: usize = 0x3000
export const endsAt: usize = 0x5000
export const mostLines: u32 = 2047
/** The block, and slack: it is read ahead. */
export const blockAt: usize = 0x7000

const tab: i8 = 9
const newline: i8 = 10

/** Reads lines from `from` on while they are as they should, not behind the newline at `last`: how many. */
export function readLines(from: u32, last: u32, chromSize: u32): u32 {
  const lastAt = blockAt + last
  let at = blockAt + from
  let count: u32 = 0
  for (; at <= lastAt && count < mostLines; count++) {
    if (!isChrom(at, chromSize)) break
    let p = at + chromSize
    let position: u32 = load<u8>(p) - 48
    // 0 is read as another position, and no other begins with it.
    if (position - 1 > 8) break
    let digit: u32 = load<u8>(++p) - 48
    const most = p + 8
    for (; digit < 10 && p < most; digit = load<u8>(++p) - 48) position = position * 10 + digit
    if (load<u8>(p) != tab) break

    // The tabs behind ID, REF, ALT, QUAL and FILTER.
    const newlines = placesOf(newline, p + 1)
    let tabs = placesOf(tab, p + 1)
    const endOfId = ctz(tabs)
    tabs &= tabs - 1
    const endOfRef = ctz(tabs)
    tabs &= tabs - 1
    tabs &= tabs - 1
    tabs &= tabs - 1
    // All are there, and no newline is before the last.
    if (tabs == 0 || newlines & (tabs ^ (tabs - 1))) break
    const end = endOfInfo(p + 2 + <usize>ctz(tabs))
    if (end == 0) break
    store<u32>(((<usize>count) << 2) + startsAt, <u32>(at - blockAt))
    store<u32>(((<usize>count) << 2) + beginsAt, position - 1)
    store<u32>(((<usize>count) << 2) + endsAt, position - 1 + max(<u32>(endOfRef - endOfId) - 1, 1))
    at = endOfLine(end) + 1
  }
  store<u32>(((<usize>count) << 2) + startsAt, <u32>(at - blockAt))
  return count
}

function isChrom(at: usize, size: u32): bool {
  let i: usize = 0
  while (i < size && load<u8>(at + i) == load<u8>(chromAt + i)) i++
  return i == size
}

/** Which of the 64 bytes from `at` on are this one, the first in the lowest bit. */
function placesOf(byte: i8, at: usize): u64 {
  const bytes = i8x16.splat(byte)
  return (
    (<u64>i8x16.bitmask(i8x16.eq(v128.load(at), bytes))) |
    ((<u64>i8x16.bitmask(i8x16.eq(v128.load(at, 16), bytes))) << 16) |
    ((<u64>i8x16.bitmask(i8x16.eq(v128.load(at, 32), bytes))) << 32) |
    ((<u64>i8x16.bitmask(i8x16.eq(v128.load(at, 48), bytes))) << 48)
  )
}

/** The tab or newline behind the INFO column that begins at `at`; 0 where it has an END, or what ends as one. */
function endOfInfo(at: usize): usize {
  while (true) {
    const bytes = v128.load(at)
    const stops = <u32>(
      i8x16.bitmask(v128.or(i8x16.eq(bytes, i8x16.splat(tab)), i8x16.eq(bytes, i8x16.splat(newline))))
    )
    // E, N, D and =.
    const ends = <u32>(
      i8x16.bitmask(
        v128.and(
          v128.and(i8x16.eq(bytes, i8x16.splat(0x45)), i8x16.eq(v128.load(at, 1), i8x16.splat(0x4e))),
          v128.and(
            i8x16.eq(v128.load(at, 2), i8x16.splat(0x44)),
            i8x16.eq(v128.load(at, 3), i8x16.splat(0x3d)),
          ),
        ),
      )
    )
    if (ends & (stops ^ (stops - 1))) return 0
    if (stops) return at + <usize>ctz(stops)
    at += 16
  }
  return 0
}

function endOfLine(at: usize): usize {
  while (true) {
    const newlines = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(newline)))
    if (newlines) return at + <usize>ctz(newlines)
    at += 16
  }
  return 0
}
