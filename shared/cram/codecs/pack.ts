import { corrupt } from '../cramErrors.ts'
import type { Cursor } from '../Cursor.ts'

/** How several symbols of a small alphabet share a byte (CRAMcodecs §3.5). */
export interface PackMap {
  readonly symbols: Uint8Array
  readonly packedBytes: number
}

/** @throws HtsvaultError CRAM_CORRUPT where the map cannot pack, or packs more than `rawSize` bytes */
export function readPackMap(cursor: Cursor, rawSize: number): PackMap {
  const count = cursor.uint8()
  if (count === 0 || count > 16) throw corrupt('a packed block has an alphabet of none or over 16 symbols')
  const symbols = cursor.take(count)
  const packedBytes = cursor.uint7()
  if (packedBytes > rawSize) throw corrupt('a packed block is longer than what it unpacks to')
  return { symbols, packedBytes }
}

/** @throws HtsvaultError CRAM_CORRUPT where the packed bytes end early, or hold a symbol that the map has not */
export function unpack(packed: Uint8Array, { symbols }: PackMap, rawSize: number): Uint8Array {
  const out = new Uint8Array(rawSize)
  if (symbols.length === 1) return out.fill(symbols[0]!)
  const bits = symbols.length <= 2 ? 1 : symbols.length <= 4 ? 2 : 4
  const perByte = 8 / bits
  if (packed.length * perByte < rawSize) throw corrupt('a packed block ends early')
  const mask = (1 << bits) - 1
  for (let i = 0, at = 0, byte = 0; i < rawSize; i++) {
    if (i % perByte === 0) byte = packed[at++]!
    out[i] = symbols[byte & mask] ?? 0
    byte >>>= bits
  }
  return out
}
