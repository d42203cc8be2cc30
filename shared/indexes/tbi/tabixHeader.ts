import { type IndexCursor, invalid } from '../binning/readBinningIndex.ts'

/** What tabix keeps of a VCF file before the names: preset VCF, columns of name and position, no end, `#`, none skipped. */
const vcfSettings = [2, 1, 2, 0, 0x23, 0]

/**
 * The header of tabix (TBI specification) for a VCF file whose records are on these references, in the order of the
 * file: the part of a TBI before its references, and the auxiliary data of a CSI.
 */
export function writeTabixHeader(names: readonly string[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(names.map(name => `${name}\0`).join(''))
  const out = new Uint8Array(28 + text.length)
  const view = new DataView(out.buffer)
  for (const [i, value] of [...vcfSettings, text.length].entries()) view.setInt32(i * 4, value, true)
  out.set(text, 28)
  return out
}

/** The names in a tabix header that starts at the cursor. @throws HtsvaultError INDEX_INVALID */
export function readTabixHeader(bytes: Uint8Array, cursor: IndexCursor): string[] {
  for (const value of vcfSettings)
    if (cursor.uint32() !== value) throw invalid('is not one of a VCF file', cursor.at - 4)
  const size = cursor.count(1)
  const text = new TextDecoder().decode(bytes.subarray(cursor.at, cursor.at + size))
  if (size > 0 && !text.endsWith('\0')) throw invalid('has a name without end', cursor.at)
  cursor.at += size
  return text.split('\0').slice(0, -1)
}
