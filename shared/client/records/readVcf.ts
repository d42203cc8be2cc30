import { HtsvaultError } from '#shared/errors.ts'
import { readVcfHeader } from '#shared/vcf/VcfHeader.ts'
import { VcfLine, emptyLine } from '#shared/vcf/VcfLine.ts'
import type { FileHeader } from './FileHeader.ts'
import type { GenomicRecord } from './GenomicRecord.ts'
import { PlainWindow } from './PlainWindow.ts'

const newline = 10
const hash = 35
/** The longest line that is put together, in bytes. */
const maxLine = 1 << 28

/**
 * Reads VCF text: hands over the header, then each record's line. Memory: one batch of blocks, or the header or line that
 * is longer.
 * @throws HtsvaultError VCF_HEADER_INVALID, VCF_RECORD_INVALID, VCF_LINE_TOO_LONG
 */
export async function* readVcf(
  plain: AsyncIterable<Uint8Array>,
  onHeader: (header: FileHeader) => void,
): AsyncGenerator<GenomicRecord, void> {
  const window = new PlainWindow()
  const decoder = new TextDecoder()
  const names: string[] = []
  const reader = new VcfLine(name => names.push(name) - 1)
  let inHeader = true
  for await (const chunk of withLastNewline(plain)) {
    window.add(chunk)
    const { bytes } = window
    if (bytes.length > maxLine)
      throw new HtsvaultError('VCF_LINE_TOO_LONG', `a line, or the header, is longer than ${maxLine} bytes`)
    let at = 0
    if (inHeader) {
      at = headerEnd(bytes)
      if (at === 0) continue
      inHeader = false
      const text = bytes.subarray(0, at)
      onHeader({ format: 'VCF', text: decoder.decode(text), references: readVcfHeader(text).contigs })
    }
    for (let end = bytes.indexOf(newline, at); end >= 0; end = bytes.indexOf(newline, at)) {
      if (reader.read(bytes, at) !== emptyLine)
        yield {
          format: 'VCF',
          referenceName: names[reader.reference],
          start: reader.begin,
          end: reader.end,
          line: decoder.decode(bytes.subarray(at, end)).replace(/\r$/, ''),
        }
      at = end + 1
    }
    window.drop(at)
  }
  // Without a #CHROM line it is no VCF: this says so.
  if (inHeader) readVcfHeader(window.bytes)
}

/** A last line without its end gets one. */
async function* withLastNewline(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let last = newline
  for await (const chunk of chunks) {
    yield chunk
    last = chunk.at(-1) ?? last
  }
  if (last !== newline) yield Uint8Array.of(newline)
}

/** Where the first line that is no header's begins, once the `#CHROM` line is whole; 0 before. */
function headerEnd(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== hash) return at
    const end = bytes.indexOf(newline, at)
    if (end < 0) return 0
    if (bytes[at + 1] !== hash) return end + 1
    at = end + 1
  }
  return 0
}
