import { type Backend, type Cipher, randomBytes } from '../Backend.ts'
import { cipherSegmentBytes, nonceBytes, overheadBytes, segmentBytes } from '../sizes.ts'

/**
 * Encrypts plain bytes that begin a segment, in one piece, into `body`; gives how many bytes it wrote:
 * cipherSize(plain.length), for which `body` has room.
 */
export function sealSegments(plain: Uint8Array, body: Uint8Array, cipher: Cipher, backend: Backend): number {
  const nonces = randomBytes(nonceBytes * Math.ceil(plain.length / segmentBytes), backend)
  let at = 0
  for (let i = 0; i * segmentBytes < plain.length; i++, at += cipherSegmentBytes) {
    const segment = plain.subarray(i * segmentBytes, (i + 1) * segmentBytes)
    const nonce = nonces.subarray(i * nonceBytes, (i + 1) * nonceBytes)
    body.set(nonce, at)
    cipher.seal(nonce, segment, body.subarray(at + nonceBytes, at + overheadBytes + segment.length))
  }
  return plain.length + overheadBytes * (nonces.length / nonceBytes)
}
