import type { Backend, Cipher } from '../Backend.ts'
import { wipe } from '../wipe.ts'
import { cipherSegmentBytes, nonceBytes, overheadBytes, segmentBytes } from '../sizes.ts'
import { batchBuffer, type BatchOptions, defaultBatchSegments } from './batchBuffer.ts'

export interface EncryptorOptions extends BatchOptions {
  /**
   * The nonce of the next segment, 12 bytes, in place of a random one: for a body that is to be the same bytes each time.
   * Two segments that differ must never get the same one.
   */
  readonly nonceOf?: ((plain: Uint8Array) => Uint8Array) | undefined
}

/**
 * Encrypts a body as its plain bytes come in, in chunks of any size (spec §3.4). Memory: a segment and a batch.
 *
 *     for (const cipher of encryptor.push(chunk)) await upload.write(cipher)
 *     for (const cipher of encryptor.finish()) await upload.write(cipher)
 *
 * `push` and `finish` do their work while they are iterated: each is to be drained before the next call.
 */
export class Encryptor {
  readonly #cipher: Cipher
  readonly #backend: Backend
  readonly #batchSegments: number
  readonly #reuseOutput: boolean
  readonly #nonces: Uint8Array
  readonly #nonceOf: EncryptorOptions['nonceOf']
  readonly #carry = new Uint8Array(segmentBytes)
  #carried = 0
  #out: Uint8Array | undefined
  #filled = 0
  #inBatch = 0

  constructor(
    dataKey: Uint8Array,
    backend: Backend,
    { batchSegments = defaultBatchSegments, reuseOutput = false, nonceOf }: EncryptorOptions = {},
  ) {
    this.#cipher = backend.cipher(dataKey)
    this.#backend = backend
    this.#batchSegments = batchSegments
    this.#reuseOutput = reuseOutput
    this.#nonces = new Uint8Array(batchSegments * nonceBytes)
    this.#nonceOf = nonceOf
  }

  *push(chunk: Uint8Array): Generator<Uint8Array, void> {
    let at = 0
    while (at < chunk.length) {
      if (this.#carried === 0 && chunk.length - at >= segmentBytes) {
        this.#seal(chunk.subarray(at, (at += segmentBytes)))
      } else {
        const taken = chunk.subarray(at, at + segmentBytes - this.#carried)
        this.#carry.set(taken, this.#carried)
        this.#carried += taken.length
        at += taken.length
        if (this.#carried < segmentBytes) return
        this.#carried = 0
        this.#seal(this.#carry)
      }
      if (this.#inBatch === this.#batchSegments) yield this.#takeBatch()
    }
  }

  *finish(): Generator<Uint8Array, void> {
    if (this.#carried > 0) this.#seal(this.#carry.subarray(0, this.#carried))
    this.#carried = 0
    wipe(this.#carry)
    if (this.#inBatch > 0) yield this.#takeBatch()
  }

  #seal(plain: Uint8Array): void {
    const nonce = this.#nonceOf ? this.#nonceOf(plain) : this.#randomNonce()
    this.#out ??= batchBuffer(this.#batchSegments * cipherSegmentBytes)
    const end = this.#filled + plain.length + overheadBytes
    this.#out.set(nonce, this.#filled)
    this.#cipher.seal(nonce, plain, this.#out.subarray(this.#filled + nonceBytes, end))
    this.#filled = end
    this.#inBatch++
  }

  /** One call for the nonces of a whole batch: a call each costs more than the bytes. */
  #randomNonce(): Uint8Array {
    if (this.#inBatch === 0) this.#backend.fillRandom(this.#nonces)
    return this.#nonces.subarray(this.#inBatch * nonceBytes, (this.#inBatch + 1) * nonceBytes)
  }

  #takeBatch(): Uint8Array {
    const batch = this.#out!.subarray(0, this.#filled)
    this.#filled = 0
    this.#inBatch = 0
    if (!this.#reuseOutput) this.#out = undefined
    return batch
  }
}
