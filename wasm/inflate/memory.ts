/** Where things are in memory, in bytes. All of it is laid out here; nothing is ever allocated. */

// What is used while the tables of a block are made; the compiler puts the constant tables at 0x400.
/** Code lengths, u8 x 320: of literals and lengths, then of distances. */
export const lengthsAt: usize = 0x800
/** How many symbols have each code length, u16 x 16. */
export const countsAt: usize = 0x980
/** Where each code length starts among the sorted symbols, u16 x 16. */
export const startsAt: usize = 0x9a0
/** Symbols in the order of their codes, u16 x 320. */
export const sortedAt: usize = 0xa00
/** Table of the code that tells code lengths, u32 x 128. */
export const metaAt: usize = 0xc80
/** The code of each literal and length, its bits reversed, u16 x 288. */
export const codesAt: usize = 0xe80
/** The steps of one symbol alone, u32 x 4096. */
export const singlesAt: usize = 0x1100

/** For each distance below 16: the order in which its bytes are repeated over 16, and how many of these are whole repeats. */
export const repeatsAt: usize = 0x5100
export const stridesAt: usize = 0x5200

/** What is inflated side by side. Not a multiple of 4 KiB: lanes whose tables lie alike would share the cache's sets. */
const laneBytes: usize = 0xca40
export const laneA: usize = 0x5400
export const laneB: usize = laneA + laneBytes
export const laneC: usize = laneB + laneBytes

// Within a lane, u32 each.
/** The next bit of the input: bits from the start of memory; and its end. */
export const posAt: usize = 0x00
export const posEndAt: usize = 0x04
/** Where the next plain byte goes, where they begin, and where they end. */
export const outAt: usize = 0x08
export const plainAt: usize = 0x0c
export const outEndAt: usize = 0x10
/** Whether the block at hand says that it is the last. */
export const lastAt: usize = 0x14
/** `inBlock`, `done` or `bad`. */
export const stateAt: usize = 0x18
/** How many bits of the input enter the tables of literals and lengths, and of steps. */
export const litBitsAt: usize = 0x1c
/** Where an idle lane writes what it makes of nothing. */
export const idleAt: usize = 0x40
/** Table of literals and lengths, u32 x (4096 + 143 x 8). */
export const litAt: usize = 0x100
/** Table of steps, u32 x 4096. */
export const stepsAt: usize = 0x5400
/** Table of distances, u64 x (512 + 15 x 64). */
export const distAt: usize = 0x9400

/** What to inflate, u32 x 4 for each job: where the input is, its bytes; where the output goes, its bytes. */
export const jobsAt: usize = 0x2b800
export const jobBytes: usize = 16
/** The compressed bytes, 256 KiB, and slack: bits are read ahead. */
export const inputAt: usize = 0x2c000
/** The plain bytes; between what two jobs make there is slack, as matches are copied by the word. */
export const outputAt: usize = 0x6c100
export const outputSlack: usize = 0x400

export const inBlock: u32 = 1
export const done: u32 = 2
export const bad: u32 = 3

/** 57 bits of the input and more, from this one on; above them there are others. */
export function peek(pos: u32): u64 {
  return rotr<u64>(load<u64>(pos >> 3), pos & 7)
}
