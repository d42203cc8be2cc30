import type { Format } from '../FileIndexer.ts'
import { recogniseBytes, recogniseFormat } from '../recogniseFormat.ts'

/** Holds a file's first bytes back until they tell its format; then its reader, made by `make`, gets them. */
export class ByFormat<Reader extends { push(chunk: Uint8Array): void }> {
  readonly #make: (format: Format) => Reader
  #reader: Reader | undefined
  #waiting: Uint8Array[] = []
  #held = 0

  constructor(make: (format: Format) => Reader) {
    this.#make = make
  }

  /** The reader, once there is one. */
  get reader(): Reader | undefined {
    return this.#reader
  }

  /** @throws HtsvaultError as `recogniseFormat` and the reader */
  push(chunk: Uint8Array): void {
    if (this.#reader) this.#reader.push(chunk)
    else if (this.#held === 0 && chunk.length >= recogniseBytes) this.#begin(chunk)
    else {
      this.#waiting.push(Uint8Array.from(chunk))
      this.#held += chunk.length
      if (this.#held >= recogniseBytes) this.#begin(this.#joined())
    }
  }

  /** The reader, when there are no more bytes. @throws HtsvaultError as `recogniseFormat` and the reader */
  finish(): Reader {
    return this.#reader ?? this.#begin(this.#joined())
  }

  #begin(bytes: Uint8Array): Reader {
    this.#reader = this.#make(recogniseFormat(bytes.subarray(0, recogniseBytes)))
    this.#reader.push(bytes)
    return this.#reader
  }

  #joined(): Uint8Array {
    const joined = new Uint8Array(this.#held)
    let at = 0
    for (const chunk of this.#waiting) {
      joined.set(chunk, at)
      at += chunk.length
    }
    this.#waiting = []
    return joined
  }
}
