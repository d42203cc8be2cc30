import { BamHeaderReader, type BamHeader } from '#shared/bam/BamHeaderReader.ts'
import { badRecord, checkRecord, fieldAt, fixedSize, recordEnd } from '#shared/bam/bamRecord.ts'
import { maxRecordSize } from '#shared/bgzf/BgzfRecordFeed.ts'
import { BamRead } from './BamRead.ts'
import { referencesOfSam, type FileHeader } from './FileHeader.ts'
import type { GenomicRecord } from './GenomicRecord.ts'
import { readFramed } from './readFramed.ts'

/**
 * Reads BAM (SAMv1 §4.2) from its inflated bytes: hands over the header, then each record, which is the receiver's to
 * keep. Memory: one batch of blocks, or the header or record that is longer.
 * @throws HtsvaultError NOT_BAM, BAM_HEADER_INVALID, BAM_RECORD_INVALID, HEADER_TOO_LARGE, BAM_TRUNCATED
 */
export function readBam(
  plain: AsyncIterable<Uint8Array>,
  onHeader: (header: FileHeader) => void,
): AsyncGenerator<GenomicRecord, void> {
  const headerReader = new BamHeaderReader()
  let references: BamHeader['references'] = []
  let count = 0
  return readFramed(plain, {
    truncated: 'BAM_TRUNCATED',
    header(bytes) {
      const header = headerReader.read(bytes, 0, bytes.length)
      if (!header) return 0
      references = header.references
      onHeader(fileHeader(header))
      return header.size
    },
    sizeAt: wholeRecord,
    record(bytes, view, at, size) {
      checkRecord(view, at, size, references.length)
      return {
        format: 'BAM',
        referenceName: references[view.getInt32(at + fieldAt.refId, true)]?.name,
        start: view.getInt32(at + fieldAt.pos, true),
        end: recordEnd(view, at, size),
        record: new BamRead({
          bytes: { byteArray: bytes.slice(at, at + size), start: 0, end: size - 1 },
          fileOffset: count++,
        }),
      }
    },
  })
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
