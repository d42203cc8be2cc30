import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'
import type { Backend } from './Backend.ts'

/** What one call of crypto.getRandomValues may be asked for, in bytes. */
const randomQuota = 65536

/** The backend that runs anywhere, a browser included: plain JavaScript, about 20 times slower than node:crypto. */
export const portableBackend: Backend = {
  name: 'portable',

  fillRandom(bytes) {
    for (let at = 0; at < bytes.length; at += randomQuota)
      // The cast: TypeScript cannot tell that nobody hands in shared memory, which getRandomValues refuses.
      crypto.getRandomValues(bytes.subarray(at, at + randomQuota) as Uint8Array<ArrayBuffer>)
  },

  cipher(key) {
    const secret = Uint8Array.from(key)
    return {
      seal(nonce, plain, out) {
        chacha20poly1305(secret, nonce).encrypt(plain, out)
      },
      open(nonce, sealed, out) {
        try {
          chacha20poly1305(secret, nonce).decrypt(sealed, out)
          return true
        } catch {
          return false
        }
      },
    }
  },

  x25519(secretKey) {
    const secret = Uint8Array.from(secretKey)
    return {
      publicKey: () => x25519.getPublicKey(secret),
      agree(publicKey) {
        try {
          return x25519.getSharedSecret(secret, publicKey)
        } catch {
          return undefined
        }
      },
    }
  },

  blake2b512: message => blake2b(message),
}
