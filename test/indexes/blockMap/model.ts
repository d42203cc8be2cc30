import { memorySource, type ByteSource } from '#shared/bytes/ByteSource.ts'
import { blockOf, virtualOffset, type VirtualOffset, type VirtualRange } from '#shared/bgzf/VirtualOffset.ts'
import type { Format, Reference } from '#shared/indexes/FileIndexer.ts'
import { BlockMapBuilder } from '#shared/indexes/blockMap/BlockMapBuilder.ts'
import type { Layout } from '#shared/indexes/blockMap/layout.ts'
import type { Region } from '#shared/indexes/blockMap/Region.ts'

/** A record as the builder is told of it. */
export interface ModelRecord {
  readonly refId: number
  readonly beg: number
  readonly end: number
  readonly start: VirtualOffset
}

export interface ModelFile {
  readonly format?: Format
  readonly references: readonly Reference[]
  readonly records: readonly ModelRecord[]
  readonly header?: Uint8Array
  readonly headerEnd?: VirtualOffset
  readonly dataEnd: VirtualOffset
}

export const eof = Uint8Array.from([1, 2, 3])

/** The file's block map, by way of the builder. */
export function mapOf(file: ModelFile, layout?: Layout): Uint8Array {
  const builder = new BlockMapBuilder()
  for (const { refId, beg, end, start } of file.records) builder.add(refId, beg, end, start)
  return builder.finish(
    {
      format: file.format ?? 'BAM',
      references: file.references,
      header: file.header ?? new TextEncoder().encode('@HD\tVN:1.6\n'),
      eof,
      headerEnd: file.headerEnd ?? virtualOffset(0, 0),
      dataEnd: file.dataEnd,
      fileSize: blockOf(file.dataEnd) + eof.length,
    },
    layout,
  )
}

/** The units of the regions by the definition: every record looked at. */
export function unitsByDefinition(file: ModelFile, regions: readonly Region[]): VirtualRange[] {
  const units: { start: VirtualOffset; hit: boolean }[] = []
  for (const record of file.records) {
    let unit = units.at(-1)
    if (!unit || blockOf(unit.start) !== blockOf(record.start))
      units.push((unit = { start: record.start, hit: false }))
    unit.hit ||= regions.some(region => overlaps(region, record))
  }
  const ranges: { start: VirtualOffset; end: VirtualOffset }[] = []
  for (const [i, { start, hit }] of units.entries()) {
    const end = units[i + 1]?.start ?? file.dataEnd
    const last = ranges.at(-1)
    if (!hit) continue
    if (last?.end === start) last.end = end
    else ranges.push({ start, end })
  }
  return ranges
}

function overlaps(region: Region, { refId, beg, end }: ModelRecord): boolean {
  if (region === 'everything') return true
  if (region === 'unplaced') return refId === -1
  return (
    refId >= 0 &&
    region.refId === refId &&
    region.start < Math.max(end, beg + 1) &&
    region.end > beg &&
    region.start < region.end
  )
}

/** A source that counts its reads. */
export function countingSource(bytes: Uint8Array): ByteSource & { reads: number; bytesRead: number } {
  const source = memorySource(bytes)
  return {
    ...source,
    reads: 0,
    bytesRead: 0,
    async read(start, end) {
      this.reads++
      this.bytesRead += end - start
      return source.read(start, end)
    },
  }
}
