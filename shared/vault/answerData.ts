import { cutBgzf } from '#shared/bgzf/cutBgzf.ts'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { ByteRange } from '#shared/bytes/ByteRange.ts'
import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { readSignedToken, type SignedGrant } from './dataTokens.ts'
import { filterRecords, heldPiece } from './filterRecords.ts'
import { maxManifestBytes, readManifest } from './Manifest.ts'
import { openFileMap } from './openFileMap.ts'
import { openStored, storedSource } from './openStored.ts'
import { sliceStream } from './plainParts.ts'
import { sealedParts } from './sealedParts.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** The bytes that a data URL yields. */
export interface DataReply {
  readonly statusCode: 200 | 206
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Carries out one piece of a ticket: exactly the bytes that the token names, or a `Range` of them.
 * @throws HtsvaultError TOKEN_EXPIRED, TOKEN_INVALID, FILE_REPLACED where the file is not the one of the ticket any
 * more, RANGE_NOT_SATISFIABLE, and what the stores throw; from the body too
 */
export async function answerData(ports: VaultPorts, token: string, range?: string): Promise<DataReply> {
  const whole = await openGrant(ports, await readSignedToken(token, ports.keys))
  const { size } = whole
  if (size === undefined)
    return { statusCode: 200, headers: always, body: await begun(whole.stream(0, Infinity)) }
  const asked = range === undefined ? undefined : parseRange(range, size)
  const { start, end } = asked ?? { start: 0, end: size }
  return {
    statusCode: asked ? 206 : 200,
    headers: {
      ...always,
      'Content-Length': String(end - start),
      'Accept-Ranges': 'bytes',
      ...(asked && { 'Content-Range': `bytes ${start}-${end - 1}/${size}` }),
    },
    body: await begun(whole.stream(start, end)),
  }
}

const always = { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'private, no-store' }

/** A stream whose first chunk was read already: a storage that does not answer is an error, not a body that breaks off. */
async function begun(stream: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const chunks = stream[Symbol.asyncIterator]()
  const first = await chunks.next()
  let next: Promise<IteratorResult<Uint8Array>> | undefined = Promise.resolve(first)
  const iterator: AsyncIterator<Uint8Array> = {
    next() {
      const now = next ?? chunks.next()
      next = undefined
      return now
    },
    // Not a generator: one that is ended before it began would leave the storage's stream open.
    return: async () => (await chunks.return?.()) ?? { done: true, value: undefined },
  }
  return { [Symbol.asyncIterator]: () => iterator }
}

interface Piece {
  /** In bytes; absent where it is not known before all of it was made: a `Range` is passed over then. */
  readonly size: number | undefined
  stream(start: number, end: number): AsyncIterable<Uint8Array>
}

async function openGrant(ports: VaultPorts, { grant, signer }: SignedGrant): Promise<Piece> {
  const object = await ports.vault.get(grant.manifestKey, maxManifestBytes)
  const manifest = object && readManifest(object.bytes, grant.manifestKey)
  // A grant of stored bytes is one of ciphertext: should the same bytes be there plain, it is not for those.
  const plainNow = grant.unit === 'stored' && manifest?.body.header === undefined
  if (manifest?.body.etag !== grant.etag || plainNow)
    throw new HtsvaultError(
      'FILE_REPLACED',
      'the file is not the one any more that the ticket was made for',
      {
        hint: 'Ask for a new ticket.',
      },
    )
  const { body } = manifest
  if (grant.unit === 'stored') return part(storedSource(ports.vault, body), grant)
  const plain = await openStored(ports, body)
  if (grant.unit === 'sealed')
    return sealedParts(grant, { plain, map: () => openFileMap(ports, manifest) }, signer)
  if (grant.unit === 'bytes') return part(plain, grant)
  if (grant.unit === 'records') return heldPiece(filterRecords(plain, manifest, grant))
  const cut = await cutBgzf(plain, { start: grant.start as VirtualOffset, end: grant.end as VirtualOffset })
  return { size: cut.size, stream: (start, end) => sliceStream(cut.stream(), start, end) }
}

const part = (source: ByteSource, range: ByteRange): Piece => ({
  size: range.end - range.start,
  stream: (start, end) => source.stream(range.start + start, range.start + end),
})

/**
 * One byte range (RFC 9110 §14.1.2). A header that is not one range of bytes is ignored, as the RFC lets a server do.
 * @throws HtsvaultError RANGE_NOT_SATISFIABLE
 */
function parseRange(header: string, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim())
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const [, first = '', last = ''] = match
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (first !== '' && last !== '' && Number(last) < start) return undefined
  if (start >= size)
    throw new HtsvaultError(
      'RANGE_NOT_SATISFIABLE',
      `the range begins at byte ${start}, the data has ${size}`,
    )
  return { start, end }
}
