import { corrupt } from '../cramErrors.ts'
import { Cursor } from '../Cursor.ts'
import { LzmaDecoder } from './LzmaDecoder.ts'

const lzma2 = 0x21
/** Length of a block's check by its kind: none, CRC32, CRC64, SHA-256 and the reserved ones between. */
const checkBytes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64]

/**
 * Decodes one .xz stream (its format's specification 1.1) with the LZMA2 filter to exactly `rawSize` bytes. The
 * checks inside it are left to the CRAM block's own.
 * @throws HtsvaultError CRAM_CORRUPT
 */
export function decodeXz(bytes: Uint8Array, rawSize: number): Uint8Array {
  const cursor = new Cursor(bytes)
  for (const byte of [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])
    if (cursor.uint8() !== byte) throw corrupt('an LZMA block is without the magic of xz')
  cursor.uint8()
  const check = checkBytes[cursor.uint8() & 0x0f]!
  cursor.uint32()

  const decoder = new LzmaDecoder(rawSize)
  // A header size of zero is the index, which comes after the last block.
  for (;;) {
    const size = cursor.uint8()
    if (size === 0) break
    readBlockHeader(new Cursor(cursor.take(size * 4 + 3)))
    const start = cursor.at
    decodeLzma2(cursor, decoder)
    cursor.take((4 - ((cursor.at - start) % 4)) % 4)
    cursor.take(check)
  }
  if (decoder.length !== rawSize) throw corrupt('an LZMA block is shorter than it declares')
  return decoder.out
}

/** The one filter that is taken is LZMA2; its dictionary is the output itself. */
function readBlockHeader(header: Cursor): void {
  const flags = header.uint8()
  if (flags & 0x3f) throw corrupt('an LZMA block has filters that are not read')
  if (flags & 0x40) readVarint(header)
  if (flags & 0x80) readVarint(header)
  if (readVarint(header) !== lzma2) throw corrupt('an LZMA block has a filter that is not read')
}

/** Seven bits a byte, the lowest first. */
function readVarint(cursor: Cursor): number {
  let value = 0
  for (let i = 0; i < 9; i++) {
    const byte = cursor.uint8()
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return value
  }
  throw corrupt('an LZMA block has an integer over nine bytes')
}

function decodeLzma2(cursor: Cursor, decoder: LzmaDecoder): void {
  for (let first = true; ; first = false) {
    const control = cursor.uint8()
    if (control === 0) return
    const resetsDictionary = control === 1 || control >= 0xe0
    if (first && !resetsDictionary) throw corrupt('an LZMA block begins without a dictionary')
    if (resetsDictionary) decoder.resetDictionary()
    if (control < 0x80) {
      if (control > 2) throw corrupt('an LZMA block has a chunk that cannot be')
      const size = cursor.uint8() * 256 + cursor.uint8() + 1
      decoder.copy(cursor.take(size))
      continue
    }
    const rawSize = ((control & 0x1f) << 16) + cursor.uint8() * 256 + cursor.uint8() + 1
    const size = cursor.uint8() * 256 + cursor.uint8() + 1
    const reset = (control >>> 5) & 3
    if (reset >= 2) decoder.setProperties(cursor.uint8())
    else if (reset === 1) decoder.resetState()
    decoder.decode(cursor.take(size), rawSize)
  }
}
