import { bcfHeaderSize, readBcfHeader } from '#shared/bcf/BcfHeader.ts'
import { readRefLength } from '#shared/bcf/readRefLength.ts'
import { maxRecordSize } from '#shared/bgzf/BgzfRecordFeed.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { BcfText } from './BcfText.ts'
import type { FileHeader } from './FileHeader.ts'
import type { GenomicRecord } from './GenomicRecord.ts'
import { readFramed } from './readFramed.ts'

/** Magic and length of the header's text; the two lengths before a record; its fixed fields. */
const prefixBytes = 9
const lengthBytes = 8
const fixedBytes = 24

/**
 * Reads BCF (VCFv4.3 §6) from its inflated bytes: hands over the header, then each record as a line of VCF. Memory: one
 * batch of blocks, or the header or record that is longer.
 * @throws HtsvaultError BCF_HEADER_INVALID, BCF_RECORD_INVALID, BCF_TRUNCATED
 */
export function readBcf(
  plain: AsyncIterable<Uint8Array>,
  onHeader: (header: FileHeader) => void,
): AsyncGenerator<GenomicRecord, void> {
  let text: BcfText | undefined
  let contigs: ReadonlyMap<number, string> = new Map()
  return readFramed(plain, {
    truncated: 'BCF_TRUNCATED',
    header(bytes) {
      const size = bcfHeaderSize(bytes)
      if (size === 0 || size > bytes.length) return 0
      const header = readBcfHeader(bytes.subarray(0, size))
      const lines = new TextDecoder().decode(bytes.subarray(prefixBytes, size)).replace(/\0.*$/s, '')
      contigs = new Map(header.contigs.map(({ id, name }) => [id, name]))
      text = new BcfText(lines, contigs)
      onHeader({ format: 'BCF', text: lines, references: header.contigs })
      return size
    },
    sizeAt: wholeRecord,
    record(bytes, view, at, size) {
      const shared = at + lengthBytes
      const sharedEnd = shared + view.getUint32(at, true)
      const pos = view.getInt32(shared + 4, true)
      const told = view.getInt32(shared + 8, true)
      const length = told < 0 ? readRefLength(bytes, shared + fixedBytes, sharedEnd) : told
      return {
        format: 'BCF',
        referenceName: contigs.get(view.getInt32(shared, true)),
        start: Math.max(pos, 0),
        end: Math.max(pos + length, 1),
        line: text!.line(bytes, shared, sharedEnd, at + size),
      }
    },
  })
}

/** Bytes of the record at `at`, 0 where it is not whole. */
function wholeRecord(view: DataView, at: number): number {
  if (at + lengthBytes > view.byteLength) return 0
  const shared = view.getUint32(at, true)
  const size = lengthBytes + shared + view.getUint32(at + 4, true)
  if (shared < fixedBytes || size > maxRecordSize)
    throw new HtsvaultError('BCF_RECORD_INVALID', `a record says that it is ${size} bytes long`)
  return at + size <= view.byteLength ? size : 0
}
