import { fixedHeaderSize, readBlockSize, trailerSize } from './blockHeader.ts'
import { type InflateJob, inflateCalls, inflateTogether, mostInput, mostTogether } from './inflateRaw.ts'

/**
 * Inflates the BGZF blocks of some bytes that are asked for one after the other, a few at a time: those that follow
 * one are inflated with it.
 */
export class BlocksAhead {
  /** What is inflated: blocks of these bytes, where each begins, and the next to be asked for. */
  #bytes: Uint8Array | undefined
  #starts: number[] = []
  #plain: readonly Uint8Array[] = []
  #next = 0
  #call = 0

  /**
   * What the block of `size` bytes at `at` inflates to, which is valid until the next one is asked for; undefined where
   * it does not inflate, or not to what it says. Its checksum is not looked at. `bytes` do not change; others are
   * another array.
   */
  take(bytes: Uint8Array, at: number, size: number): Uint8Array | undefined {
    if (this.#bytes !== bytes || this.#starts[this.#next] !== at || this.#call !== inflateCalls())
      this.#inflate(bytes, at, size)
    return this.#plain[this.#next++]
  }

  #inflate(bytes: Uint8Array, at: number, size: number): void {
    const starts: number[] = []
    const jobs: InflateJob[] = []
    for (let start = at, length = size; length > 0 && start + length - at <= mostInput;) {
      starts.push(start)
      jobs.push(jobOf(bytes, start, length))
      start += length
      length = jobs.length < mostTogether ? wholeBlockAt(bytes, start) : 0
    }
    this.#bytes = bytes
    this.#starts = starts
    // Where one of them is bad, it is said of the first alone.
    this.#plain = inflateTogether(bytes, jobs) ?? inflateTogether(bytes, jobs.slice(0, 1)) ?? []
    this.#starts.length = this.#plain.length
    this.#next = 0
    this.#call = inflateCalls()
  }
}

function jobOf(bytes: Uint8Array, start: number, size: number): InflateJob {
  const end = start + size - trailerSize
  return {
    start: start + fixedHeaderSize + (bytes[start + 10]! | (bytes[start + 11]! << 8)),
    end,
    size:
      (bytes[end + 4]! | (bytes[end + 5]! << 8) | (bytes[end + 6]! << 16) | (bytes[end + 7]! << 24)) >>> 0,
  }
}

/** How many bytes the block has that begins there; 0 where it is not whole, or none. */
function wholeBlockAt(bytes: Uint8Array, at: number): number {
  try {
    const size = readBlockSize(bytes, at, bytes.length, at)
    return at + size <= bytes.length ? size : 0
  } catch {
    // What is wrong there is told when it is asked for.
    return 0
  }
}
