/** Bytes that were fetched and not handed out yet, of all blocks together. */
export class ReadAheadLimit {
  readonly #maxBytes: number
  #held = 0
  #waiting: (() => void)[] = []

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get isFull(): boolean {
    return this.#held >= this.#maxBytes
  }

  add(bytes: number): void {
    this.#held += bytes
    if (bytes < 0) this.wake()
  }

  /** Until something is taken, or another block's turn comes. */
  changed(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  wake(): void {
    const woken = this.#waiting
    this.#waiting = []
    for (const resolve of woken) resolve()
  }
}

/** One block being fetched ahead of its turn: what came is kept until it is asked for. */
export class ReadAhead {
  readonly #limit: ReadAheadLimit
  readonly #chunks: Uint8Array[] = []
  #isFirst = false
  #ended = false
  #stopped = false
  #error: Error | undefined
  #news: (() => void) | undefined
  readonly #done: Promise<void>

  constructor(source: AsyncGenerator<Uint8Array, void>, limit: ReadAheadLimit) {
    this.#limit = limit
    this.#done = this.#fill(source)
  }

  async #fill(source: AsyncGenerator<Uint8Array, void>): Promise<void> {
    try {
      for await (const chunk of source) {
        if (this.#stopped) return
        this.#chunks.push(chunk)
        this.#limit.add(chunk.length)
        this.#tell()
        while (!this.#mayRead) {
          await this.#limit.changed()
          if (this.#isStopped) return
        }
      }
    } catch (error) {
      // What an abort throws is the caller's own.
      this.#error = error as Error
    } finally {
      this.#ended = true
      this.#tell()
    }
  }

  /** Read anew after a wait: the other side may have set it. */
  get #isStopped(): boolean {
    return this.#stopped
  }

  /** The block whose turn it is goes on whatever the others hold, or none would ever end. */
  get #mayRead(): boolean {
    return !this.#limit.isFull || (this.#isFirst && this.#chunks.length === 0)
  }

  #tell(): void {
    this.#news?.()
    this.#news = undefined
  }

  /** Its turn: all its bytes, those that wait first. */
  async *take(): AsyncGenerator<Uint8Array, void> {
    this.#isFirst = true
    this.#limit.wake()
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk) {
        this.#limit.add(-chunk.length)
        yield chunk
      } else if (this.#ended) {
        if (this.#error !== undefined) throw this.#error
        return
      } else await new Promise<void>(resolve => (this.#news = resolve))
    }
  }

  /** Gives up what is left; resolves when the connection is let go. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#limit.wake()
    await this.#done
  }
}
