/**
 * The primitives that Crypt4GH stands on, so that the same code runs on node:crypto (fast) and on @noble (anywhere,
 * a browser included). Lengths are the caller's to keep: keys 32 bytes, nonces 12, MACs 16.
 */
export interface Backend {
  readonly name: string
  /** Fills `bytes` from the platform's cryptographic random source. */
  fillRandom(bytes: Uint8Array): void
  /** ChaCha20-Poly1305 (RFC 8439, no associated data) under one key, which is copied: the caller may wipe it. */
  cipher(key: Uint8Array): Cipher
  /** X25519 (RFC 7748) with one secret key, which is copied too. */
  x25519(secretKey: Uint8Array): X25519
  /** BLAKE2b, 64 bytes out. */
  blake2b512(message: Uint8Array): Uint8Array
}

export interface Cipher {
  /** Writes ciphertext and MAC to `out`, which is 16 bytes longer than `plain`. */
  seal(nonce: Uint8Array, plain: Uint8Array, out: Uint8Array): void
  /** Writes the plain bytes to `out`, 16 bytes shorter than `sealed`; false, and nothing written, where the MAC does not fit. */
  open(nonce: Uint8Array, sealed: Uint8Array, out: Uint8Array): boolean
}

export interface X25519 {
  publicKey(): Uint8Array
  /** The shared secret, 32 bytes; undefined where `publicKey` is a point of low order, which gives none. */
  agree(publicKey: Uint8Array): Uint8Array | undefined
}

/** `length` bytes from the backend's random source. */
export function randomBytes(length: number, backend: Backend): Uint8Array {
  const bytes = new Uint8Array(length)
  backend.fillRandom(bytes)
  return bytes
}
