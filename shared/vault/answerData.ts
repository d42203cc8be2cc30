import { cutBgzf } from '#shared/bgzf/cutBgzf.ts'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { readDataToken, type DataGrant } from './dataTokens.ts'
import { maxManifestBytes, readManifest } from './Manifest.ts'
import { openStored } from './openStored.ts'
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
  const whole = await openGrant(ports, await readDataToken(token, ports.keys))
  const asked = range === undefined ? undefined : parseRange(range, whole.size)
  const { start, end } = asked ?? { start: 0, end: whole.size }
  return {
    statusCode: asked ? 206 : 200,
    headers: {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(end - start),
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'private, no-store',
      ...(asked && { 'Content-Range': `bytes ${start}-${end - 1}/${whole.size}` }),
    },
    body: await begun(whole.stream(start, end)),
  }
}

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
  readonly size: number
  stream(start: number, end: number): AsyncIterable<Uint8Array>
}

async function openGrant(ports: VaultPorts, grant: DataGrant): Promise<Piece> {
  const object = await ports.vault.get(grant.manifestKey, maxManifestBytes)
  const manifest = object && readManifest(object.bytes, grant.manifestKey)
  if (manifest?.body.etag !== grant.etag)
    throw new HtsvaultError(
      'FILE_REPLACED',
      'the file is not the one any more that the ticket was made for',
      {
        hint: 'Ask for a new ticket.',
      },
    )
  const plain = await openStored(ports, manifest.body)
  if (grant.unit === 'bytes')
    return {
      size: grant.end - grant.start,
      stream: (start, end) => plain.stream(grant.start + start, grant.start + end),
    }
  const cut = await cutBgzf(plain, { start: grant.start as VirtualOffset, end: grant.end as VirtualOffset })
  return { size: cut.size, stream: (start, end) => slice(cut.stream(), start, end) }
}

/** Bytes `start` to `end` of a stream. */
async function* slice(
  stream: AsyncIterable<Uint8Array>,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  let at = 0
  for await (const chunk of stream) {
    const from = Math.max(start - at, 0)
    const to = Math.min(end - at, chunk.length)
    if (from < to) yield chunk.subarray(from, to)
    at += chunk.length
    if (at >= end) return
  }
}

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
