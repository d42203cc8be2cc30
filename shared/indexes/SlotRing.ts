import { maxBlockSize, readBlockSize } from '#shared/bgzf/blockHeader.ts'
import { inflateAhead } from '#shared/bgzf/inflateAhead.ts'

/**
 * How many bytes of the file a slot holds: two blocks at least. All slots, and what they inflate to, are to fit the
 * nearer caches of the processor: a copy into 32 MB took four times as long as into 8 MB.
 */
export const slotBytes = 1 << 17
const slots = 16
/** How many plain bytes of a slot are inflated ahead at most, and how many blocks. */
const plainBytes = 1 << 20
const mostBlocks = 64
/** The length of a slot that says that there are no more. */
const theEnd = -1

/** Counters: how many slots were filled, claimed and worked off since the start. */
const filled = 0
const claimed = 1
const done = 2
/** Then, for each slot: its length; the number of its ready batch, from 1; how many blocks of that are inflated. */
const lengths = 3
const ready = lengths + slots
const inflated = ready + slots

/** For each block inflated ahead: where it is in its slot, and how long it is when plain. */
const fieldsOfBlock = 2

/** What the threads of a lane share. */
export interface RingMemory {
  readonly bytes: SharedArrayBuffer
  readonly plain: SharedArrayBuffer
  readonly blocks: SharedArrayBuffer
  readonly counters: SharedArrayBuffer
}

export const ringMemory = (): RingMemory => ({
  bytes: new SharedArrayBuffer(slots * slotBytes),
  plain: new SharedArrayBuffer(slots * plainBytes),
  blocks: new SharedArrayBuffer(slots * mostBlocks * fieldsOfBlock * Int32Array.BYTES_PER_ELEMENT),
  counters: new SharedArrayBuffer((inflated + slots) * Int32Array.BYTES_PER_ELEMENT),
})

/**
 * A file's bytes on their way from one thread to another, in a ring of shared slots: one copy a byte, no allocation,
 * never more than the ring on the way. Who waits, waits on a counter: a message a chunk cost 3 s a GB.
 *
 * A slot's content is a batch, numbered from 0. Third threads may inflate the blocks of a batch before its turn comes
 * (`inflateAhead`); what they leave, or find broken, is for the reader to inflate, so that it says what is wrong where.
 */
export class SlotRing {
  readonly #bytes: Uint8Array
  readonly #plain: Uint8Array
  readonly #blocks: Int32Array
  readonly #counters: Int32Array
  readonly #inflateBlock = inflateAhead()
  /** Of the reader: where the batch at hand begins in the file, its slot, and the next block inflated ahead. */
  #base = 0
  #slot = 0
  #block = 0
  #plainAt = 0

  constructor({ bytes, plain, blocks, counters }: RingMemory) {
    this.#bytes = new Uint8Array(bytes)
    this.#plain = new Uint8Array(plain)
    this.#blocks = new Int32Array(blocks)
    this.#counters = new Int32Array(counters)
  }

  /** The writer's next slot, or what to await until there may be one. */
  room(): Uint8Array | Promise<unknown> {
    for (;;) {
      const next = this.#load(filled)
      const behind = this.#load(done)
      if (next - behind < slots) return this.#slotBytes(next % slots, slotBytes)
      const { async, value } = Atomics.waitAsync(this.#counters, done, behind)
      if (async) return value
    }
  }

  /** Hands over the slot that `room` gave with this many bytes in it, or says that there are no more. */
  fill(size: number | undefined): void {
    this.#counters[lengths + (this.#load(filled) % slots)] = size ?? theEnd
    this.#advance(filled)
  }

  /** The next batch for the reader, or undefined behind the last; until it is there, others are inflated. */
  take(): Uint8Array | undefined {
    const batch = this.#load(done)
    const slot = batch % slots
    let blocks = 0
    for (;;) {
      if (this.#load(ready + slot) === batch + 1) {
        blocks = this.#counters[inflated + slot]!
        break
      }
      const claim = this.#claim(batch)
      if (claim === batch) break
      if (claim !== undefined) this.#inflate(claim)
      else if (this.#load(claimed) <= batch) Atomics.wait(this.#counters, filled, batch)
      else this.#awaitReady(slot, batch)
    }
    this.#slot = slot
    this.#counters[inflated + slot] = blocks
    this.#block = this.#plainAt = 0
    const length = this.#counters[lengths + slot]!
    return length === theEnd ? undefined : this.#slotBytes(slot, length)
  }

  /** Gives the batch's slot back to the writer. */
  release(): void {
    this.#base += this.#counters[lengths + this.#slot]!
    this.#advance(done)
  }

  /** For the reader: what was inflated ahead is taken as it is. */
  readonly inflate = (bytes: Uint8Array, at: number, size: number, offset: number): Uint8Array => {
    const start = offset - this.#base
    for (; this.#block < this.#counters[inflated + this.#slot]!; this.#block++) {
      const entry = this.#entry(this.#slot, this.#block)
      const begins = this.#blocks[entry]!
      if (begins > start) break
      const from = this.#slot * plainBytes + this.#plainAt
      const plainSize = this.#blocks[entry + 1]!
      this.#plainAt += plainSize
      if (begins < start) continue
      this.#block++
      return this.#plain.subarray(from, from + plainSize)
    }
    return this.#inflateBlock(bytes, at, size, offset)
  }

  /** Inflates a batch that nobody is at: whether there was one. */
  inflateOne(): boolean {
    const batch = this.#claim()
    if (batch !== undefined) this.#inflate(batch)
    return batch !== undefined
  }

  /** Inflates batches that nobody is at, until there are no more. */
  inflateAhead(): void {
    for (;;) {
      if (this.inflateOne()) continue
      const seen = this.#load(filled)
      // What is filled and not to be claimed is the end.
      if (this.#load(claimed) < seen) return
      Atomics.wait(this.#counters, filled, seen)
    }
  }

  /** The first batch that nobody is at; the end only for who wants it. */
  #claim(wanted?: number): number | undefined {
    for (;;) {
      const next = this.#load(claimed)
      if (next >= this.#load(filled)) return undefined
      if (next !== wanted && this.#counters[lengths + (next % slots)] === theEnd) return undefined
      if (Atomics.compareExchange(this.#counters, claimed, next, next + 1) === next) return next
    }
  }

  #inflate(batch: number): void {
    const slot = batch % slots
    const bytes = this.#slotBytes(slot, this.#counters[lengths + slot]!)
    const plain = this.#plain.subarray(slot * plainBytes, (slot + 1) * plainBytes)
    let blocks = 0
    try {
      for (let at = 0, to = 0; blocks < mostBlocks && to + maxBlockSize <= plainBytes; blocks++) {
        const size = readBlockSize(bytes, at, bytes.length, at)
        if (size === 0 || at + size > bytes.length) break
        const content = this.#inflateBlock(bytes, at, size, at)
        plain.set(content, to)
        const entry = this.#entry(slot, blocks)
        this.#blocks[entry] = at
        this.#blocks[entry + 1] = content.length
        at += size
        to += content.length
      }
    } catch {
      // The reader comes upon the same, and knows the place.
    }
    this.#counters[inflated + slot] = blocks
    Atomics.store(this.#counters, ready + slot, batch + 1)
    Atomics.notify(this.#counters, ready + slot)
  }

  #awaitReady(slot: number, batch: number): void {
    const seen = this.#load(ready + slot)
    if (seen !== batch + 1) Atomics.wait(this.#counters, ready + slot, seen)
  }

  #load(counter: number): number {
    return Atomics.load(this.#counters, counter)
  }

  #advance(counter: number): void {
    Atomics.add(this.#counters, counter, 1)
    Atomics.notify(this.#counters, counter)
  }

  #slotBytes(slot: number, length: number): Uint8Array {
    return this.#bytes.subarray(slot * slotBytes, slot * slotBytes + length)
  }

  #entry(slot: number, block: number): number {
    return (slot * mostBlocks + block) * fieldsOfBlock
  }
}
