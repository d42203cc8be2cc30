import type { Backend } from '../Backend.ts'
import { sealedSegment, truncatedSegment } from '../errors.ts'
import { cipherSegmentBytes, overheadBytes, type PlainRange, plainStart, segmentBytes } from '../sizes.ts'
import { wipe } from '../wipe.ts'
import { batchBuffer, type BatchOptions, defaultBatchSegments } from './batchBuffer.ts'
import { SegmentOpener } from './SegmentOpener.ts'

export interface DecryptorOptions extends BatchOptions {
  /**
   * Ranges of the file's plain bytes to hand out, ascending and apart (what keptRanges of an edit list gives);
   * without it everything. Segments that hold none of them are not opened.
   */
  readonly keep?: readonly PlainRange[] | undefined
  /** Number of the segment that the first byte pushed begins; default 0. */
  readonly firstSegment?: number
  /** Shares the memory of which data key opened last; made from the data keys otherwise. */
  readonly opener?: SegmentOpener
}

/**
 * Decrypts a body as its bytes come in, in chunks of any size. Memory: a segment and a batch. `push` and `finish` do
 * their work while they are iterated, as the Encryptor's: each is to be drained before the next call.
 *
 * Both throw HtsvaultError CRYPT4GH_SEGMENT_CORRUPT, CRYPT4GH_TRUNCATED or CRYPT4GH_TRUNCATED_OR_CORRUPT with the
 * segment's number. No byte of a segment is handed out before its MAC was checked.
 */
export class Decryptor {
  readonly #opener: SegmentOpener
  readonly #keep: readonly PlainRange[] | undefined
  readonly #batchBytes: number
  readonly #reuseOutput: boolean
  readonly #carry = new Uint8Array(cipherSegmentBytes)
  #carried = 0
  #segment: number
  #keepAt = 0
  #out: Uint8Array | undefined
  #filled = 0

  constructor(
    dataKeys: readonly Uint8Array[],
    backend: Backend,
    {
      keep,
      firstSegment = 0,
      opener,
      batchSegments = defaultBatchSegments,
      reuseOutput = false,
    }: DecryptorOptions = {},
  ) {
    this.#opener = opener ?? new SegmentOpener(dataKeys, backend)
    this.#keep = keep
    this.#segment = firstSegment
    this.#batchBytes = batchSegments * segmentBytes
    this.#reuseOutput = reuseOutput
  }

  *push(chunk: Uint8Array): Generator<Uint8Array, void> {
    let at = 0
    while (at < chunk.length) {
      if (this.#carried === 0 && chunk.length - at >= cipherSegmentBytes) {
        this.#open(chunk.subarray(at, (at += cipherSegmentBytes)))
      } else {
        const taken = chunk.subarray(at, at + cipherSegmentBytes - this.#carried)
        this.#carry.set(taken, this.#carried)
        this.#carried += taken.length
        at += taken.length
        if (this.#carried < cipherSegmentBytes) return
        this.#carried = 0
        this.#open(this.#carry)
      }
      if (this.#batchBytes - this.#filled < segmentBytes) yield this.#takeBatch()
    }
  }

  *finish(): Generator<Uint8Array, void> {
    if (this.#carried > 0) {
      if (this.#carried < overheadBytes) throw truncatedSegment(this.#segment, this.#carried)
      this.#open(this.#carry.subarray(0, this.#carried))
      this.#carried = 0
    }
    if (this.#filled > 0) yield this.#takeBatch()
    if (this.#reuseOutput) wipe(this.#out)
  }

  #open(sealed: Uint8Array): void {
    const segment = this.#segment++
    const length = sealed.length - overheadBytes
    if (this.#keep && !this.#isWanted(plainStart(segment), length)) return
    this.#out ??= batchBuffer(this.#batchBytes)
    const slot = this.#out.subarray(this.#filled, this.#filled + length)
    if (!this.#opener.open(sealed, slot))
      throw sealedSegment(segment, sealed.length, sealed.length < cipherSegmentBytes)
    this.#filled += this.#keep ? this.#cut(slot, plainStart(segment)) : length
  }

  /** Moves on to the first range that ends after `start`; says whether it begins before `start + length`. */
  #isWanted(start: number, length: number): boolean {
    const keep = this.#keep!
    while (this.#keepAt < keep.length && keep[this.#keepAt]!.end <= start) this.#keepAt++
    return this.#keepAt < keep.length && keep[this.#keepAt]!.start < start + length
  }

  /** Moves what is to be kept of a segment to its slot's front; gives its length. */
  #cut(slot: Uint8Array, start: number): number {
    const keep = this.#keep!
    let filled = 0
    for (let i = this.#keepAt; i < keep.length && keep[i]!.start < start + slot.length; i++) {
      const from = Math.max(0, keep[i]!.start - start)
      const to = Math.min(slot.length, keep[i]!.end - start)
      if (from > filled || filled > 0) slot.copyWithin(filled, from, to)
      filled += to - from
    }
    return filled
  }

  #takeBatch(): Uint8Array {
    const batch = this.#out!.subarray(0, this.#filled)
    this.#filled = 0
    if (!this.#reuseOutput) this.#out = undefined
    return batch
  }
}
