import type { Backend, Cipher, X25519 } from '../Backend.ts'
import { wipe } from '../wipe.ts'

/**
 * The cipher that seals packets between a writer and a reader: BLAKE2b-512(X25519(own, other) ‖ reader ‖ writer),
 * first 32 bytes (spec §3.3.1). Undefined where the other public key gives no shared secret.
 */
export function packetCipher(
  own: X25519,
  other: Uint8Array,
  reader: Uint8Array,
  writer: Uint8Array,
  backend: Backend,
): Cipher | undefined {
  const shared = own.agree(other)
  if (!shared) return undefined
  const message = new Uint8Array(96)
  message.set(shared)
  message.set(reader, 32)
  message.set(writer, 64)
  const hash = backend.blake2b512(message)
  const cipher = backend.cipher(hash.slice(0, 32))
  wipe(shared, message, hash)
  return cipher
}
