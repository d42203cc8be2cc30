import type { Backend } from '../Backend.ts'
import { keptRanges, totalBytes } from '../editList.ts'
import type { OpenedHeader } from '../header/openHeader.ts'
import { cipherSegmentBytes, plainSize } from '../sizes.ts'
import { batchSegmentsOf } from './batchBuffer.ts'
import { Decryptor } from './Decryptor.ts'

/**
 * Decrypts a small file's body in one piece, the edit list applied.
 * @throws HtsvaultError CRYPT4GH_SEGMENT_CORRUPT, CRYPT4GH_TRUNCATED, CRYPT4GH_TRUNCATED_OR_CORRUPT.
 */
export function decryptBytes(body: Uint8Array, open: OpenedHeader, backend: Backend): Uint8Array {
  const size = plainSize(body.length)
  const keep = open.editList && keptRanges(open.editList, size)
  const plain = new Uint8Array(keep ? totalBytes(keep) : size)
  const batchSegments = batchSegmentsOf(Math.ceil(body.length / cipherSegmentBytes))
  const decryptor = new Decryptor(open.dataKeys, backend, { keep, reuseOutput: true, batchSegments })
  let at = 0
  for (const step of [decryptor.push(body), decryptor.finish()])
    for (const batch of step) {
      plain.set(batch, at)
      at += batch.length
    }
  return plain
}
