import { notCrypt4gh, truncatedHeader } from '../errors.ts'
import { type Header, preambleBytes } from './Header.ts'
import { HeaderScanner } from './HeaderScanner.ts'
import { readHeader } from './readHeader.ts'

/** Takes a file's chunks until its header is whole. Memory: what has come of the header. */
export class HeaderCollector {
  readonly #scanner = new HeaderScanner()
  #bytes = new Uint8Array(1024)
  #length = 0
  /** The header, once it is whole. */
  header: Header | undefined

  /**
   * Takes what the header needs of a chunk, and gives what is left over: the body's first bytes, once `header` is there.
   * @throws HtsvaultError as readHeader, without CRYPT4GH_TRUNCATED.
   */
  push(chunk: Uint8Array): Uint8Array {
    let rest = chunk
    while (!this.header && rest.length > 0) {
      const taken = rest.subarray(0, this.#scanner.needed - this.#length)
      this.#append(taken)
      rest = rest.subarray(taken.length)
      this.#finishWhenWhole()
    }
    return rest
  }

  /** @throws HtsvaultError NOT_CRYPT4GH, CRYPT4GH_TRUNCATED where the file ended before its header did. */
  finish(): Header {
    if (this.header) return this.header
    if (this.#length === 0) throw notCrypt4gh('it is empty')
    throw truncatedHeader(this.#length, this.#scanner.needed)
  }

  #finishWhenWhole(): void {
    // Below the preamble too: a file that is something else is told from its first byte.
    if (this.#length < this.#scanner.needed && this.#length >= preambleBytes) return
    const bytes = this.#bytes.subarray(0, this.#length)
    if (this.#scanner.advance(bytes)) this.header = readHeader(bytes)
  }

  #append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes.length))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }
}
