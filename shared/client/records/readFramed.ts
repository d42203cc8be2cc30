import { HtsvaultError } from '#shared/errors.ts'
import type { GenomicRecord } from './GenomicRecord.ts'
import { PlainWindow } from './PlainWindow.ts'

/** What BAM and BCF do each in its own way: a header, then records that begin with their lengths. */
export interface Framing {
  /** The code where the file ends too early. */
  readonly truncated: 'BAM_TRUNCATED' | 'BCF_TRUNCATED'
  /** Reads the header that `bytes` begins with, and gives its size; 0 where it is not whole. */
  header(bytes: Uint8Array): number
  /** Bytes of the record at `at`, 0 where it is not whole. */
  sizeAt(view: DataView, at: number): number
  record(bytes: Uint8Array<ArrayBuffer>, view: DataView, at: number, size: number): GenomicRecord
}

/**
 * Reads records from inflated bytes, each the receiver's to keep. Memory: one batch of blocks, or the header or record
 * that is longer.
 * @throws HtsvaultError what the framing throws, and its `truncated`
 */
export async function* readFramed(
  plain: AsyncIterable<Uint8Array>,
  framing: Framing,
): AsyncGenerator<GenomicRecord, void> {
  const window = new PlainWindow()
  let inHeader = true
  for await (const chunk of plain) {
    window.add(chunk)
    const { bytes } = window
    let at = 0
    if (inHeader) {
      at = framing.header(bytes)
      if (at === 0) continue
      inHeader = false
    }
    const view = new DataView(bytes.buffer)
    for (let size; (size = framing.sizeAt(view, at)) > 0; at += size)
      yield framing.record(bytes, view, at, size)
    window.drop(at)
  }
  if (inHeader || window.bytes.length > 0)
    throw new HtsvaultError(
      framing.truncated,
      `the answer ends in the middle of a ${inHeader ? 'header' : 'record'}`,
      { hint: 'Ask again: something is missing at its end.' },
    )
}
