import { filterBam } from '#shared/bam/filter/filterBam.ts'
import { cutBgzf } from '#shared/bgzf/cutBgzf.ts'
import { blockOf, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import type { FileDefinition } from '#shared/cram/FileDefinition.ts'
import { filterCram } from '#shared/cram/filter/filterCram.ts'
import type { RecordsGrant } from './dataTokens.ts'
import type { Manifest } from './Manifest.ts'
import { sliceStream } from './plainParts.ts'

/**
 * The whole records of a piece of a file's plain bytes, without the columns that were not asked for: BGZF blocks of BAM
 * records, or CRAM containers. The same bytes each time.
 * @throws what filterBam and the source throw
 */
export async function* filterRecords(
  plain: ByteSource,
  { format, formatVersion }: Pick<Manifest, 'format' | 'formatVersion'>,
  { start, end, columns }: Pick<RecordsGrant, 'start' | 'end' | 'columns'>,
): AsyncGenerator<Uint8Array> {
  const range = { start: start as VirtualOffset, end: end as VirtualOffset }
  if (format === 'CRAM') {
    const containers = plain.stream(blockOf(range.start), blockOf(range.end))
    yield* filterCram(containers, definitionOf(formatVersion), columns)
  } else {
    const cut = await cutBgzf(plain, range)
    yield* filterBam(cut.stream(), columns)
  }
}

const definitionOf = (version: string): FileDefinition =>
  version === '2.1' ? { major: 2, minor: 1 } : { major: 3, minor: version === '3.1' ? 1 : 0 }

/** Up to here a piece is made before its first byte is sent, so that its length is known, in bytes. */
const heldBytes = 16 << 20

/** A piece whose length is found by making it: held in memory where it is short, as nearly all are. */
export async function heldPiece(stream: AsyncIterable<Uint8Array>): Promise<{
  readonly size: number | undefined
  stream(start: number, end: number): AsyncIterable<Uint8Array>
}> {
  const chunks = stream[Symbol.asyncIterator]()
  const held: Uint8Array[] = []
  let size = 0
  for (let next; !(next = await chunks.next()).done;) {
    held.push(next.value)
    size += next.value.length
    if (size > heldBytes) return { size: undefined, stream: () => goOn(held, chunks) }
  }
  return { size, stream: (start, end) => sliceStream(goOn(held), start, end) }
}

async function* goOn(held: Uint8Array[], chunks?: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* held
    for (let next; chunks && !(next = await chunks.next()).done;) yield next.value
  } finally {
    await chunks?.return?.()
  }
}
