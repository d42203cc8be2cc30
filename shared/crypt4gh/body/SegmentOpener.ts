import type { Backend, Cipher } from '../Backend.ts'
import { nonceBytes } from '../sizes.ts'

/** Opens segments with any of several data keys, the one that opened the last first (spec §4.1). */
export class SegmentOpener {
  readonly #ciphers: readonly Cipher[]
  #last = 0

  constructor(dataKeys: readonly Uint8Array[], backend: Backend) {
    this.#ciphers = dataKeys.map(key => backend.cipher(key))
  }

  /** Writes the plain bytes to `out`, 28 shorter than the segment; false where no data key opens it. */
  open(segment: Uint8Array, out: Uint8Array): boolean {
    const nonce = segment.subarray(0, nonceBytes)
    const sealed = segment.subarray(nonceBytes)
    if (this.#ciphers[this.#last]?.open(nonce, sealed, out)) return true
    const found = this.#ciphers.findIndex((cipher, i) => i !== this.#last && cipher.open(nonce, sealed, out))
    if (found === -1) return false
    this.#last = found
    return true
  }
}
