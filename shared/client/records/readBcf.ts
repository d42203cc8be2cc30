import { bcfHeaderSize, readBcfHeader } from '#shared/bcf/BcfHeader.ts'
import { readRefLength } from '#shared/bcf/readRefLength.ts'
import { maxRecordSize } from '#shared/bgzf/BgzfRecordFeed.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { BcfText } from './BcfText.ts'
import type { FileHeader } from './FileHeader.ts'
import type { GenomicRecord } from './GenomicRecord.ts'
import { PlainWindow } from './PlainWindow.ts'

/** Magic and length of the header's text; the two lengths before a record; its fixed fields. */
const prefixBytes = 9
const lengthBytes = 8
const fixedBytes = 24

/**
 * Reads BCF (VCFv4.3 §6) from its inflated bytes: hands over the header, then each record as a line of VCF. Memory: one
 * batch of blocks, or the header or record that is longer.
 * @throws HtsvaultError BCF_HEADER_INVALID, BCF_RECORD_INVALID, BCF_TRUNCATED
 */
export async function* readBcf(
  plain: AsyncIterable<Uint8Array>,
  onHeader: (header: FileHeader) => void,
): AsyncGenerator<GenomicRecord, void> {
  const window = new PlainWindow()
  let text: BcfText | undefined
  let contigs: ReadonlyMap<number, string> = new Map()
  for await (const chunk of plain) {
    window.add(chunk)
    const { bytes } = window
    let at = 0
    if (!text) {
      at = bcfHeaderSize(bytes)
      if (at === 0 || at > bytes.length) continue
      const header = readBcfHeader(bytes.subarray(0, at))
      const lines = new TextDecoder().decode(bytes.subarray(prefixBytes, at)).replace(/\0.*$/s, '')
      contigs = new Map(header.contigs.map(({ id, name }) => [id, name]))
      text = new BcfText(lines, contigs)
      onHeader({ format: 'BCF', text: lines, references: header.contigs })
    }
    const view = new DataView(bytes.buffer)
    for (;;) {
      const size = wholeRecord(view, at)
      if (size === 0) break
      const shared = at + lengthBytes
      const sharedEnd = shared + view.getUint32(at, true)
      const pos = view.getInt32(shared + 4, true)
      const told = view.getInt32(shared + 8, true)
      const length = told < 0 ? readRefLength(bytes, shared + fixedBytes, sharedEnd) : told
      yield {
        format: 'BCF',
        referenceName: contigs.get(view.getInt32(shared, true)),
        start: Math.max(pos, 0),
        end: Math.max(pos + length, 1),
        line: text.line(bytes, shared, sharedEnd, at + size),
      }
      at += size
    }
    window.drop(at)
  }
  if (!text || window.bytes.length > 0)
    throw new HtsvaultError(
      'BCF_TRUNCATED',
      `the answer ends in the middle of a ${text ? 'record' : 'header'}`,
      {
        hint: 'Ask again: something is missing at its end.',
      },
    )
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
