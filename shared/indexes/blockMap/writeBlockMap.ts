import { crc32 } from 'node:zlib'
import { HtsvaultError } from '#shared/errors.ts'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { writeBgzf } from '#shared/bgzf/writeBgzf.ts'
import type { Format, Reference } from '../FileIndexer.ts'
import { writeDirectory } from './DirectoryPage.ts'
import { defaultLayout, type Layout } from './layout.ts'
import { magic, writeFooter } from './Footer.ts'
import type { WrittenPage } from './Page.ts'
import { writeSummary } from './Summary.ts'
import type { UnitTable } from './UnitTable.ts'
import { writeLeaves } from './writeLeaves.ts'

/** What the map keeps of its file, besides its units. */
export interface MappedFile {
  readonly format: Format
  /** Where the header ends. */
  readonly headerEnd: VirtualOffset
  /** Where the records end: the offset of the EOF marker. */
  readonly dataEnd: VirtualOffset
  /** Length of the file in bytes. */
  readonly fileSize: number
  /** BAM, VCF, BCF: the header's plain bytes. CRAM: the file's first bytes, up to the first data container. */
  readonly header: Uint8Array
  /** The EOF marker, as it stands in the file. */
  readonly eof: Uint8Array
  /** In the file's own order; a record's reference id is an index into it. */
  readonly references: readonly Reference[]
  /** From what the units call a reference to its place among `references`, where that is not the same. */
  readonly idOf?: (refId: number) => number
}

/** The longest header that a map keeps, in bytes as it is served; a longer one is read from the file itself. */
export const maxStoredHeader = 4 << 20

/** @throws HtsvaultError BLOCK_MAP_REFERENCE where a run is on none of the file's references */
export function writeBlockMap(
  table: UnitTable,
  file: MappedFile,
  layout: Layout = defaultLayout,
): Uint8Array {
  const idOf = file.idOf ?? ((id: number) => id)
  const runs = table.runs.map(run => (run.refId < 0 ? run : { ...run, refId: idOf(run.refId) }))
  for (const { refId } of runs)
    if (!(refId >= -1 && refId < file.references.length))
      throw new HtsvaultError(
        'BLOCK_MAP_REFERENCE',
        'a record lies on a reference that the file does not name',
      )

  const verbatim = file.format === 'CRAM'
  const served = verbatim ? file.header : writeBgzf(file.header, { eof: false })
  const header = served.length <= maxStoredHeader ? served : undefined

  const parts: Uint8Array[] = [magic]
  let size = magic.length
  const put = (bytes: Uint8Array) => {
    parts.push(bytes)
    size += bytes.length
  }

  let levels = 0
  let pages: WrittenPage[] = [...writeLeaves(table, file.dataEnd, layout)]
  for (; pages.length > 1; levels++) {
    const parents: WrittenPage[] = []
    for (let i = 0; i < pages.length; i += layout.fanOut) {
      const children = pages.slice(i, i + layout.fanOut)
      const offset = size
      for (const child of children) put(child.bytes)
      parents.push(writeDirectory(children, offset))
    }
    pages = parents
  }
  const root = pages[0]
  const { bytes: summary, plainLength } = writeSummary(file.references, runs)
  const tail = [header ?? new Uint8Array(0), file.eof, summary, root?.bytes ?? new Uint8Array(0)]
  tail.forEach(put)
  put(
    writeFooter({
      format: file.format,
      levels,
      header: header ? (verbatim ? 'verbatim' : 'compressed') : 'none',
      headerBytes: tail[0]!.length,
      eofBytes: tail[1]!.length,
      summaryBytes: tail[2]!.length,
      summaryPlainBytes: plainLength,
      rootBytes: tail[3]!.length,
      tailCrc32: tail.reduce((sum, part) => crc32(part, sum), 0),
      headerEnd: file.headerEnd,
      dataEnd: file.dataEnd,
      fileSize: file.fileSize,
      unitsStart: (root?.start ?? file.dataEnd) as VirtualOffset,
      unitsBorder: root?.border ?? 0,
      units: table.length,
    }),
  )
  const map = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    map.set(part, at)
    at += part.length
  }
  return map
}
