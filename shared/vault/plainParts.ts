import { cutBgzf } from '#shared/bgzf/cutBgzf.ts'
import type { VirtualRange } from '#shared/bgzf/VirtualOffset.ts'
import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { Piece } from '#shared/htsget/planTicket.ts'
import type { BlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'

/** Some bytes of what a plain ticket's pieces join to, of a length that is known before they are read. */
export type PlainPart =
  | {
      /** Of the header or the EOF marker as the block map has it, or of the file. */
      readonly kind: 'header' | 'eof' | 'bytes'
      readonly start: number
      readonly end: number
    }
  | (VirtualRange & {
      readonly kind: 'virtual'
      /** Length of what the range is cut to, in bytes. */
      readonly size: number
      /** Which bytes of that. */
      readonly from: number
      readonly to: number
    })

/** In bytes. */
export const partSize = (part: PlainPart): number =>
  part.kind === 'virtual' ? part.to - part.from : part.end - part.start

/** How many blocks are read at once to learn what they are cut to. */
const readsAtOnce = 16

/**
 * The parts that a plan's pieces are. What a virtual range is cut to is known only once its first and last block were
 * read and deflated: `plain` is read for these.
 * @throws what cutBgzf throws
 */
export async function plainParts(pieces: readonly Piece[], plain: ByteSource): Promise<PlainPart[]> {
  const parts: PlainPart[] = []
  for (let i = 0; i < pieces.length; i += readsAtOnce)
    parts.push(...(await Promise.all(pieces.slice(i, i + readsAtOnce).map(piece => partOf(piece, plain)))))
  return parts
}

async function partOf(piece: Piece, plain: ByteSource): Promise<PlainPart> {
  if (piece.kind === 'bytes') return { kind: 'bytes', start: piece.start, end: piece.end }
  if (piece.kind === 'inline')
    return { kind: piece.class === 'header' ? 'header' : 'eof', start: 0, end: piece.bytes.length }
  const { size } = await cutBgzf(plain, piece)
  return { kind: 'virtual', start: piece.start, end: piece.end, size, from: 0, to: size }
}

/** Bytes `from` to `to` of the parts, put one after the other. */
export function sliceParts(parts: readonly PlainPart[], from: number, to: number): PlainPart[] {
  const sliced: PlainPart[] = []
  let at = 0
  for (const part of parts) {
    const size = partSize(part)
    const first = Math.max(from - at, 0)
    const last = Math.min(to - at, size)
    if (first < last)
      sliced.push(
        part.kind === 'virtual'
          ? { ...part, from: part.from + first, to: part.from + last }
          : { ...part, start: part.start + first, end: part.start + last },
      )
    at += size
  }
  return sliced
}

/** A file's plain bytes, and of its block map what parts may be of. */
export interface PartSources {
  readonly plain: ByteSource
  /** Read only where a part asks for it. */
  readonly map: () => Promise<Pick<BlockMap, 'header' | 'eof'>>
}

/**
 * The bytes of the parts, one after the other.
 * @throws HtsvaultError FILE_REPLACED where a part is not what it was when it was planned; what the sources throw
 */
export async function* streamParts(
  parts: readonly PlainPart[],
  { plain, map }: PartSources,
): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part.kind === 'bytes') yield* plain.stream(part.start, part.end)
    else if (part.kind === 'virtual') {
      const cut = await cutBgzf(plain, part)
      if (cut.size !== part.size) throw changed()
      yield* sliceStream(cut.stream(), part.from, part.to)
    } else {
      const bytes = (await map())[part.kind]
      if (bytes === undefined || bytes.length < part.end) throw changed()
      yield bytes.subarray(part.start, part.end)
    }
  }
}

/** A vault of another version made the ticket. */
const changed = () =>
  new HtsvaultError('FILE_REPLACED', 'the file is not cut any more as it was when the ticket was made', {
    hint: 'Ask for a new ticket.',
  })

/** Bytes `start` to `end` of a stream. */
export async function* sliceStream(
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
