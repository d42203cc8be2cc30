import { BamHeaderReader, type BamHeader } from '#shared/bam/BamHeaderReader.ts'
import { badRecord, checkRecord, fieldAt, fixedSize, recordEnd } from '#shared/bam/bamRecord.ts'
import { maxRecordSize } from '#shared/bgzf/BgzfRecordFeed.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { BamRead } from './BamRead.ts'
import { referencesOfSam, type FileHeader } from './FileHeader.ts'
import type { GenomicRecord } from './GenomicRecord.ts'
import { PlainWindow } from './PlainWindow.ts'

/**
 * Reads BAM (SAMv1 §4.2) from its inflated bytes: hands over the header, then each record, which is the receiver's to
 * keep. Memory: one batch of blocks, or the header or record that is longer.
 * @throws HtsvaultError NOT_BAM, BAM_HEADER_INVALID, BAM_RECORD_INVALID, HEADER_TOO_LARGE, BAM_TRUNCATED
 */
export async function* readBam(
  plain: AsyncIterable<Uint8Array>,
  onHeader: (header: FileHeader) => void,
): AsyncGenerator<GenomicRecord, void> {
  const window = new PlainWindow()
  const headerReader = new BamHeaderReader()
  let header: BamHeader | undefined
  let count = 0
  for await (const chunk of plain) {
    window.add(chunk)
    const { bytes } = window
    let at = 0
    if (!header) {
      header = headerReader.read(bytes, 0, bytes.length)
      if (!header) continue
      at = header.size
      onHeader(fileHeader(header))
    }
    const view = new DataView(bytes.buffer)
    for (;;) {
      const size = wholeRecord(view, at)
      if (size === 0) break
      checkRecord(view, at, size, header.references.length)
      const refId = view.getInt32(at + fieldAt.refId, true)
      const start = view.getInt32(at + fieldAt.pos, true)
      yield {
        format: 'BAM',
        referenceName: header.references[refId]?.name,
        start,
        end: recordEnd(view, at, size),
        record: new BamRead({
          bytes: { byteArray: bytes.slice(at, at + size), start: 0, end: size - 1 },
          fileOffset: count++,
        }),
      }
      at += size
    }
    window.drop(at)
  }
  if (!header || window.bytes.length > 0)
    throw new HtsvaultError(
      'BAM_TRUNCATED',
      `the answer ends in the middle of a ${header ? 'record' : 'header'}`,
      {
        hint: 'Ask again: something is missing at its end.',
      },
    )
}

/** Bytes of the record at `at`, 0 where it is not whole. */
function wholeRecord(view: DataView, at: number): number {
  if (at + 4 > view.byteLength) return 0
  const size = 4 + view.getInt32(at, true)
  if (size < fixedSize || size > maxRecordSize) throw badRecord(`says that it is ${size - 4} bytes long`)
  return at + size <= view.byteLength ? size : 0
}

/** Lengths are those of the binary header; the text, which need not name them, has the checksums. */
function fileHeader({ text, references }: BamHeader): FileHeader {
  const told = new Map(referencesOfSam(text).map(reference => [reference.name, reference]))
  return {
    format: 'BAM',
    text,
    references: references.map(({ name, length }) => ({ ...told.get(name), name, length })),
  }
}
