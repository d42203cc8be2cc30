import { instantiate } from '#shared/bytes/instantiate.ts'
import { vcfLinesModule } from './vcfLinesModule.ts'

/** What wasm/vcfLines.ts exports. */
interface Exports {
  readonly memory: WebAssembly.Memory
  readonly chromAt: WebAssembly.Global<'i32'>
  readonly chromBytes: WebAssembly.Global<'i32'>
  readonly startsAt: WebAssembly.Global<'i32'>
  readonly beginsAt: WebAssembly.Global<'i32'>
  readonly endsAt: WebAssembly.Global<'i32'>
  readonly mostLines: WebAssembly.Global<'i32'>
  readonly blockAt: WebAssembly.Global<'i32'>
  readonly readLines: (from: number, last: number, chromSize: number) => number
}

/** The lines of a block that are short and nothing unusual, many at a time; the others are for `VcfLine`. */
export interface ShortLines {
  /** Where each of the lines starts that were read last, and behind them where the next one does. */
  readonly starts: Uint32Array
  /** What `VcfLine` says of them. */
  readonly begins: Uint32Array
  readonly ends: Uint32Array
  /** Takes a block, of at most 64 KiB; one at a time in a thread. */
  take(block: Uint8Array): void
  /**
   * Reads lines of it from `at` on, up to the newline at `last` or the first that is unusual, if their CHROM is this,
   * its tab included: how many.
   */
  read(at: number, last: number, chrom: Uint8Array): number
}

/** So many bytes a line on average, or fewer: of longer ones most is searched for its end alone, and not worth a copy. */
export const shortLine = 256

const tab = 9

/** Of this thread; compiled when they are first needed. */
export const shortLines = (): ShortLines => (reader ??= openReader())
let reader: ShortLines | undefined

function openReader(): ShortLines {
  const exports = instantiate(vcfLinesModule) as unknown as Exports
  const { memory, blockAt, chromAt, chromBytes, mostLines, startsAt, beginsAt, endsAt, readLines } = exports
  const bytes = (at: number, length: number) => new Uint8Array(memory.buffer, at, length)
  const uint32s = (at: number, length: number) => new Uint32Array(memory.buffer, at, length)
  const block = bytes(blockAt.value, 1 << 16)
  const room = bytes(chromAt.value, chromBytes.value)
  return {
    starts: uint32s(startsAt.value, mostLines.value + 1),
    begins: uint32s(beginsAt.value, mostLines.value),
    ends: uint32s(endsAt.value, mostLines.value),
    take: plain => block.set(plain),
    read(at, last, chrom) {
      if (chrom.length > room.length || chrom.at(-1) !== tab) return 0
      room.set(chrom)
      return readLines(at, last, chrom.length)
    },
  }
}
