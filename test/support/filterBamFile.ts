import { memorySource } from '#shared/bytes/ByteSource.ts'
import { filterBam } from '#shared/bam/filter/filterBam.ts'
import { cutBgzf } from '#shared/bgzf/cutBgzf.ts'
import type { RecordColumns } from '#shared/columns/RecordColumns.ts'
import { BamIndexer } from '#shared/indexes/BamIndexer.ts'
import { openBlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { indexInChunks } from './indexing.ts'

/** A whole sorted BAM file: its header, its records filtered, the EOF marker. */
export async function filterBamFile(
  file: Uint8Array,
  columns: RecordColumns,
  chunkBytes = 1 << 20,
): Promise<Buffer> {
  const map = await openBlockMap(memorySource(indexInChunks(new BamIndexer(), file).blockMap))
  const parts: Uint8Array[] = [map.header!]
  for (const run of await map.units(['everything'])) {
    const cut = await cutBgzf(memorySource(file, chunkBytes), run)
    for await (const part of filterBam(cut.stream(), columns)) parts.push(part)
  }
  return Buffer.concat([...parts, map.eof])
}
