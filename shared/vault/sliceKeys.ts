import { createHmac } from 'node:crypto'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { nonceBytes } from '#shared/crypt4gh/sizes.ts'
import type { KeyPair } from './ports/KeyStore.ts'

/** In bytes; one for each ticket, drawn at random. */
export const saltBytes = 16

/** What a slice is encrypted with that has a data key of its own. */
export interface SliceKeys {
  readonly dataKey: Uint8Array
  /** From which the nonces come. */
  readonly nonceKey: Uint8Array
}

/**
 * The keys of one ticket's slice, out of the vault's secret (of the pair that signs its tokens) and the ticket's salt: the salt stands in the ticket's URLs
 * for all to read, and tells nothing without the secret (docs/decisions/0010-fresh-keys.md).
 */
export function sliceKeys({ secretKey }: KeyPair, salt: Uint8Array): SliceKeys {
  const bytes = hkdf(sha256, secretKey, salt, new TextEncoder().encode('htsvault slice v1'), 64)
  return { dataKey: bytes.subarray(0, 32), nonceKey: bytes.subarray(32) }
}

/**
 * The nonces of the segments from number `first` on: of the segment's number and its bytes, under a secret key. So a piece
 * that is asked for again is the same bytes; and were a segment's plain bytes ever others (another zlib), so would be its
 * nonce: no two segments share one.
 */
export function segmentNonces(nonceKey: Uint8Array, first: number): (plain: Uint8Array) => Uint8Array {
  let segment = first
  return plain => {
    const number = Buffer.alloc(8)
    number.writeBigUInt64LE(BigInt(segment++))
    return createHmac('sha256', nonceKey).update(number).update(plain).digest().subarray(0, nonceBytes)
  }
}
