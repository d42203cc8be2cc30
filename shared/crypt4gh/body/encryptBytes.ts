import { type Backend, randomBytes } from '../Backend.ts'
import { cipherSegmentBytes, cipherSize, nonceBytes, overheadBytes, segmentBytes } from '../sizes.ts'

/** Encrypts a small file's plain bytes to a body, in one piece. */
export function encryptBytes(plain: Uint8Array, dataKey: Uint8Array, backend: Backend): Uint8Array {
  const cipher = backend.cipher(dataKey)
  const body = new Uint8Array(cipherSize(plain.length))
  for (let i = 0; i * segmentBytes < plain.length; i++) {
    const segment = plain.subarray(i * segmentBytes, (i + 1) * segmentBytes)
    const nonce = randomBytes(nonceBytes, backend)
    const at = i * cipherSegmentBytes
    body.set(nonce, at)
    cipher.seal(nonce, segment, body.subarray(at + nonceBytes, at + overheadBytes + segment.length))
  }
  return body
}
