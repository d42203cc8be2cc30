import { corruptHeader, headerTooLarge, notCrypt4gh, unsupportedVersion } from '../errors.ts'
import {
  magic,
  maxHeaderBytes,
  maxPacketBytes,
  maxPackets,
  packetPreambleBytes,
  preambleBytes,
  version,
} from './Header.ts'

/**
 * Finds where a header ends as its bytes come in. `needed` is how many bytes from the file's start are needed to
 * know more; once `complete`, it is the header's length.
 */
export class HeaderScanner {
  needed = preambleBytes
  complete = false
  #packetsLeft: number | undefined

  /**
   * Looks at the header's bytes so far, all of them from the file's start.
   * @throws HtsvaultError NOT_CRYPT4GH, CRYPT4GH_VERSION_UNSUPPORTED, CRYPT4GH_HEADER_CORRUPT,
   * CRYPT4GH_HEADER_TOO_LARGE, as soon as it shows.
   */
  advance(prefix: Uint8Array): boolean {
    const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.length)
    if (this.#packetsLeft === undefined && !this.#readPreamble(prefix, view)) return false
    while (!this.complete && prefix.length >= this.needed) {
      const start = this.needed - packetPreambleBytes
      const length = view.getUint32(start, true)
      if (length < packetPreambleBytes) throw corruptHeader(`a header packet of ${length} bytes`, start)
      if (length > maxPacketBytes)
        throw headerTooLarge(`a header packet of ${length} bytes; at most ${maxPacketBytes} are read`, start)
      this.#packetsLeft!--
      this.#next(start + length)
    }
    return this.complete && prefix.length >= this.needed
  }

  #readPreamble(prefix: Uint8Array, view: DataView): boolean {
    for (let i = 0; i < magic.length && i < prefix.length; i++)
      if (prefix[i] !== magic[i]) throw notCrypt4gh('it begins with other bytes')
    if (prefix.length >= 12 && view.getUint32(8, true) !== version)
      throw unsupportedVersion(view.getUint32(8, true))
    if (prefix.length < preambleBytes) return false
    const packets = view.getUint32(12, true)
    if (packets > maxPackets)
      throw headerTooLarge(`a header of ${packets} packets; at most ${maxPackets} are read`, 12)
    this.#packetsLeft = packets
    this.#next(preambleBytes)
    return true
  }

  #next(packetStart: number): void {
    this.complete = this.#packetsLeft === 0
    this.needed = packetStart + (this.complete ? 0 : packetPreambleBytes)
    if (this.needed > maxHeaderBytes)
      throw headerTooLarge(`a header of more than ${maxHeaderBytes} bytes`, packetStart)
  }
}

/**
 * How many bytes from a file's start are needed to have its header whole, as far as `prefix` shows: ask again with
 * that many until `complete`.
 * @throws HtsvaultError as HeaderScanner.advance.
 */
export function headerLength(prefix: Uint8Array): { readonly needed: number; readonly complete: boolean } {
  const scanner = new HeaderScanner()
  scanner.advance(prefix)
  return { needed: scanner.needed, complete: scanner.complete }
}
