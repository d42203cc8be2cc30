import { HtsvaultError } from '#shared/errors.ts'

/** The longest container that is held, in bytes. */
const maxHeld = 1 << 29

/**
 * A file that goes by, with what @gmod's readers ask of a file handle: any place from the last `forget` on can be read,
 * and what is not there yet is waited for.
 */
export class StreamWindow {
  readonly #chunks: AsyncIterator<Uint8Array>
  #bytes = new Uint8Array(1 << 16)
  /** Where in the file `#bytes` begins. */
  #start = 0
  #held = 0
  #ended = false

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Fewer bytes than asked for at the end of the file. @throws HtsvaultError CRAM_TOO_LARGE, CRAM_CORRUPT */
  async read(length: number, position: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!(position >= this.#start && length >= 0))
      throw new HtsvaultError('CRAM_CORRUPT', 'a container says that it begins where it cannot', {
        place: { offset: this.#start },
      })
    const end = position + length
    while (!this.#ended && this.#start + this.#held < end) await this.#more()
    const from = Math.min(position - this.#start, this.#held)
    // A copy: what is read is kept by records.
    return this.#bytes.slice(from, Math.min(from + length, this.#held))
  }

  async endsAt(position: number): Promise<boolean> {
    return (await this.read(1, position)).length === 0
  }

  /** Lets go of everything before `position`. */
  forget(position: number): void {
    const size = Math.min(position - this.#start, this.#held)
    this.#bytes.copyWithin(0, size, this.#held)
    this.#held -= size
    this.#start += size
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next()
    if (next.done === true) {
      this.#ended = true
      return
    }
    const needed = this.#held + next.value.length
    if (needed > maxHeld)
      throw new HtsvaultError('CRAM_TOO_LARGE', `a container is longer than ${maxHeld} bytes`, {
        place: { offset: this.#start },
      })
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
      grown.set(this.#bytes.subarray(0, this.#held))
      this.#bytes = grown
    }
    this.#bytes.set(next.value, this.#held)
    this.#held = needed
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }
}
