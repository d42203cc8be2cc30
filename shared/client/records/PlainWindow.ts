/** What has been inflated and not been read yet, in one piece: for readers that take what is whole and leave the rest. */
export class PlainWindow {
  #bytes = new Uint8Array(0)

  /** Everything that is held; a buffer of its own, from its beginning. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes
  }

  add(chunk: Uint8Array): void {
    const both = new Uint8Array(this.#bytes.length + chunk.length)
    both.set(this.#bytes)
    both.set(chunk, this.#bytes.length)
    this.#bytes = both
  }

  /** Lets go of the first `size` bytes. */
  drop(size: number): void {
    if (size > 0) this.#bytes = this.#bytes.slice(size)
  }
}
