import { corrupt } from '../cramErrors.ts'
import { CramWriter } from '../CramWriter.ts'
import { Cursor } from '../Cursor.ts'
import { readEncoding, type Encoding } from '../encodings/Encoding.ts'

/** An encoding, and the bytes that say so: what is not changed is written as it was read. */
export interface StoredEncoding {
  readonly encoding: Encoding
  readonly bytes: Uint8Array
}

/** A compression header's three maps (CRAMv3 §8.4), each in its own order, so that they can be written again. */
export interface CompressionMaps {
  /** By its two letters each value's bytes; that of TD without its length. */
  readonly preservation: ReadonlyMap<string, Uint8Array>
  readonly series: ReadonlyMap<string, StoredEncoding>
  /** By letters and type of the tag in one number, the first letter highest. */
  readonly tags: ReadonlyMap<number, StoredEncoding>
}

/** @throws HtsvaultError CRAM_CORRUPT, also where a key is there twice */
export function readCompressionMaps(bytes: Uint8Array): CompressionMaps {
  const cursor = new Cursor(bytes)
  const preservation = readMap(cursor, readKey, readPreserved)
  const series = readMap(cursor, readKey, readStored)
  const tags = readMap(cursor, tag => tag.itf8(), readStored)
  if (cursor.left > 0) throw corrupt('a compression header is longer than its maps')
  return { preservation, series, tags }
}

function readMap<K, V>(
  within: Cursor,
  readKey: (cursor: Cursor) => K,
  readValue: (cursor: Cursor, key: K) => V,
): Map<K, V> {
  const cursor = new Cursor(within.take(within.itf8()))
  const found = new Map<K, V>()
  const entries = cursor.count('entries of a map')
  for (let i = 0; i < entries; i++) {
    const key = readKey(cursor)
    found.set(key, readValue(cursor, key))
  }
  if (found.size !== entries || cursor.left > 0)
    throw corrupt('a map of a compression header is not as it says')
  return found
}

const readKey = (cursor: Cursor) => String.fromCharCode(cursor.uint8(), cursor.uint8())

const readPreserved = (cursor: Cursor, key: string): Uint8Array =>
  cursor.take(key === 'TD' ? cursor.itf8() : key === 'SM' ? 5 : 1)

function readStored(cursor: Cursor): StoredEncoding {
  const from = cursor.at
  const encoding = readEncoding(cursor)
  return { encoding, bytes: cursor.bytes.subarray(from, cursor.at) }
}

export function writeCompressionMaps({ preservation, series, tags }: CompressionMaps): Uint8Array {
  const writer = new CramWriter()
  writeMap(writer, preservation, (to, key, value) => {
    writeKey(to, key)
    if (key === 'TD') to.itf8(value.length)
    to.put(value)
  })
  writeMap(writer, series, (to, key, { bytes }) => writeKey(to, key).put(bytes))
  writeMap(writer, tags, (to, key, { bytes }) => to.itf8(key).put(bytes))
  return writer.take()
}

function writeMap<K, V>(
  writer: CramWriter,
  entries: ReadonlyMap<K, V>,
  write: (to: CramWriter, key: K, value: V) => void,
): void {
  const body = new CramWriter().itf8(entries.size)
  for (const [key, value] of entries) write(body, key, value)
  writer.itf8(body.size).put(body.take())
}

const writeKey = (to: CramWriter, key: string) => to.uint8(key.charCodeAt(0)).uint8(key.charCodeAt(1))
