import { maxBlockSize, readBlockSize } from '#shared/bgzf/bgzfBlock.ts'
import { slotBytes, type SlotRing } from './SlotRing.ts'

/** Fills the slots of a ring, where the file is BGZF with whole blocks: such a batch can be inflated by itself. */
export class SlotWriter {
  readonly #ring: SlotRing
  /** Awaits what the ring tells to await, or throws what has ended the reader. */
  readonly #wait: (room: Promise<unknown>) => Promise<void>
  /** The head of a block that begins the next slot. */
  readonly #tail = new Uint8Array(maxBlockSize)
  #tailSize = 0
  #slot: Uint8Array | undefined
  #used = 0
  #isBgzf = true

  constructor(ring: SlotRing, wait: (room: Promise<unknown>) => Promise<void>) {
    this.#ring = ring
    this.#wait = wait
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const slot = (this.#slot ??= await this.#open())
      const piece = chunk.subarray(at, at + slotBytes - this.#used)
      slot.set(piece, this.#used)
      this.#used += piece.length
      at += piece.length
      if (this.#used === slotBytes) this.#hand(this.#wholeBlocks(slot))
    }
  }

  async end(): Promise<void> {
    if (this.#slot || this.#tailSize > 0) {
      this.#slot ??= await this.#open()
      this.#hand(this.#used)
    }
    await this.#open()
    this.#ring.fill(undefined)
  }

  async #open(): Promise<Uint8Array> {
    for (;;) {
      const room = this.#ring.room()
      if (!(room instanceof Uint8Array)) {
        // The reader is behind: it is helped rather than waited for.
        if (!this.#ring.inflateOne()) await this.#wait(room)
        continue
      }
      room.set(this.#tail.subarray(0, this.#tailSize))
      this.#used = this.#tailSize
      this.#tailSize = 0
      return room
    }
  }

  #hand(size: number): void {
    this.#tailSize = this.#used - size
    this.#tail.set(this.#slot!.subarray(size, this.#used))
    this.#slot = undefined
    this.#ring.fill(size)
  }

  /** Where the last whole block of a slot ends; what is no BGZF, or is broken, goes over as it comes. */
  #wholeBlocks(slot: Uint8Array): number {
    let end = 0
    try {
      for (let size; this.#isBgzf; end += size) {
        size = readBlockSize(slot, end, slot.length, end)
        if (size === 0 || end + size > slot.length) break
      }
    } catch {
      this.#isBgzf = false
    }
    this.#isBgzf &&= slot.length - end <= maxBlockSize
    return this.#isBgzf ? end : slot.length
  }
}
