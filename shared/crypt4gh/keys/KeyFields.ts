import { corruptKey } from '../errors.ts'

/** Reads the big-endian, length-prefixed fields of key files, within bounds. */
export class KeyFields {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** @throws HtsvaultError KEY_CORRUPT past the end, as all of these. */
  take(length: number): Uint8Array {
    if (length > this.left) throw corruptKey('it ends too early')
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }

  u16(): number {
    this.take(2)
    return this.#view.getUint16(this.#at - 2)
  }

  u32(): number {
    this.take(4)
    return this.#view.getUint32(this.#at - 4)
  }

  /** A string of c4gh-v1: u16 length, bytes. */
  string16(): Uint8Array {
    return this.take(this.u16())
  }

  /** A string of OpenSSH: u32 length, bytes. */
  string32(): Uint8Array {
    return this.take(this.u32())
  }
}

/** Bytes as text; for the names that key files hold. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
