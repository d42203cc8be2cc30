import { Encryptor } from '#shared/crypt4gh/body/Encryptor.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { cipherSegmentBytes, cipherSize, segmentBytes } from '#shared/crypt4gh/sizes.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import type { SealedGrant } from './dataTokens.ts'
import { partSize, sliceParts, sliceStream, streamParts, type PartSources } from './plainParts.ts'
import type { KeyPair } from './ports/KeyStore.ts'
import { segmentNonces, sliceKeys, type SliceKeys } from './sliceKeys.ts'

/**
 * The segments that a grant names, encrypted as they are read: the same bytes each time, from any place on. In memory are
 * one segment and one batch.
 */
export function sealedParts(
  { parts, salt, segment }: Pick<SealedGrant, 'parts' | 'salt' | 'segment'>,
  sources: PartSources,
  signer: KeyPair,
): { size: number; stream(start: number, end: number): AsyncIterable<Uint8Array> } {
  const plainSize = parts.reduce((sum, part) => sum + partSize(part), 0)
  return {
    size: cipherSize(plainSize),
    async *stream(start, end) {
      const first = Math.floor(start / cipherSegmentBytes)
      const last = Math.ceil(end / cipherSegmentBytes)
      const wanted = sliceParts(parts, first * segmentBytes, Math.min(last * segmentBytes, plainSize))
      const plain = streamParts(wanted, sources)
      const sealed = encrypt(plain, sliceKeys(signer, salt), segment + first)
      const offset = first * cipherSegmentBytes
      yield* sliceStream(sealed, start - offset, end - offset)
    },
  }
}

async function* encrypt(
  plain: AsyncIterable<Uint8Array>,
  { dataKey, nonceKey }: SliceKeys,
  firstSegment: number,
): AsyncGenerator<Uint8Array> {
  const encryptor = new Encryptor(dataKey, nodeBackend, { nonceOf: segmentNonces(nonceKey, firstSegment) })
  wipe(dataKey)
  try {
    for await (const chunk of plain) yield* encryptor.push(chunk)
    yield* encryptor.finish()
  } finally {
    wipe(nonceKey)
  }
}
