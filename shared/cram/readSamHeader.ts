import { corrupt } from './cramErrors.ts'
import { Cursor } from './Cursor.ts'

/** A reference that a SAM header names, in its order. */
export interface SamReference {
  readonly name: string
  /** In bases. */
  readonly length: number
  /** Of its sequence, as the header has it. */
  readonly md5?: string
}

/**
 * Reads the references of the SAM header that a CRAM's first block holds: its length, then text (CRAMv3 §7.1).
 * @throws HtsvaultError CRAM_CORRUPT
 */
export function readSamHeader(bytes: Uint8Array): SamReference[] {
  const cursor = new Cursor(bytes)
  const length = cursor.int32()
  if (length < 0 || length > cursor.left) throw corrupt('the SAM header is longer than its block')
  const text = new TextDecoder().decode(cursor.take(length))
  const references: SamReference[] = []
  const names = new Set<string>()
  let at = 0
  while (at < text.length) {
    let end = text.indexOf('\n', at)
    if (end === -1) end = text.length
    if (text.startsWith('@SQ\t', at)) {
      const reference = readReferenceLine(text.slice(at, end))
      if (names.has(reference.name)) throw corrupt('the SAM header names a reference twice')
      names.add(reference.name)
      references.push(reference)
    }
    at = end + 1
  }
  return references
}

function readReferenceLine(line: string): SamReference {
  let name: string | undefined
  let length: number | undefined
  let md5: string | undefined
  for (const field of line.replace(/\r$/, '').split('\t'))
    if (field.startsWith('SN:')) name = field.slice(3)
    else if (field.startsWith('LN:')) length = Number(field.slice(3))
    else if (field.startsWith('M5:')) md5 = field.slice(3)
  if (name === undefined || name === '' || length === undefined || !(Number.isInteger(length) && length >= 0))
    throw corrupt('an @SQ line of the SAM header is without a name or a length')
  return { name, length, ...(md5 !== undefined && { md5 }) }
}
