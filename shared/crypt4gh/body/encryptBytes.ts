import type { Backend } from '../Backend.ts'
import { cipherSize } from '../sizes.ts'
import { sealSegments } from './sealSegments.ts'

/** Encrypts a small file's plain bytes to a body, in one piece. */
export function encryptBytes(plain: Uint8Array, dataKey: Uint8Array, backend: Backend): Uint8Array {
  const body = new Uint8Array(cipherSize(plain.length))
  sealSegments(plain, body, backend.cipher(dataKey), backend)
  return body
}
