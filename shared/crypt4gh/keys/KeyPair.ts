import { type Backend, randomBytes } from '../Backend.ts'

/** An X25519 key pair, raw, 32 bytes each. */
export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

/** Makes a key pair from the backend's random source. */
export const generateKeyPair = (backend: Backend): KeyPair => keyPairOf(randomBytes(32, backend), backend)

/** The key pair of a secret key; the secret's bytes are not copied. */
export const keyPairOf = (secretKey: Uint8Array, backend: Backend): KeyPair => ({
  publicKey: backend.x25519(secretKey).publicKey(),
  secretKey,
})
