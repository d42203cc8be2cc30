import { memorySource } from '#shared/bytes/ByteSource.ts'
import { cutBgzf } from '#shared/bgzf/cutBgzf.ts'
import type { Piece } from '#shared/htsget/planTicket.ts'

/** The bytes that a client joins from a plan's pieces, of a file in memory. */
export async function carryOut(pieces: readonly Piece[], file: Uint8Array): Promise<Uint8Array> {
  const source = memorySource(file)
  const parts: Uint8Array[] = []
  for (const piece of pieces) {
    if (piece.kind === 'inline') parts.push(piece.bytes)
    else if (piece.kind === 'bytes') parts.push(await source.read(piece.start, piece.end))
    else for await (const part of (await cutBgzf(source, piece)).stream()) parts.push(part.slice())
  }
  return Uint8Array.from(Buffer.concat(parts))
}
