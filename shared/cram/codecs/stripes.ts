import { corrupt } from '../cramErrors.ts'
import { Cursor } from '../Cursor.ts'

/**
 * Decodes N streams that hold every Nth byte each, and interleaves them (CRAMcodecs §3.6).
 * @throws HtsvaultError CRAM_CORRUPT
 */
export function decodeStripes(
  cursor: Cursor,
  rawSize: number,
  decode: (stream: Cursor, size: number) => Uint8Array,
): Uint8Array {
  const count = cursor.uint8()
  if (count === 0) throw corrupt('a striped block has no streams')
  const sizes = Array.from({ length: count }, () => cursor.uint7())
  const out = new Uint8Array(rawSize)
  for (let n = 0; n < count; n++) {
    const size = Math.floor(rawSize / count) + (rawSize % count > n ? 1 : 0)
    const stream = decode(new Cursor(cursor.take(sizes[n]!)), size)
    for (let i = 0, to = n; i < size; i++, to += count) out[to] = stream[i]!
  }
  return out
}
