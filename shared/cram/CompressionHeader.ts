import { corrupt } from './cramErrors.ts'
import { Cursor } from './Cursor.ts'
import { readEncoding, type Encoding } from './encodings/Encoding.ts'

/** What a container's slices have in common (CRAMv3 §8.4), as far as indexing needs it. */
export interface CompressionHeader {
  /** RN: names are stored for every record, not for detached ones alone. */
  readonly namesKept: boolean
  /** AP: positions are stored as differences. */
  readonly positionDeltas: boolean
  /** TD: for each tag line its tags, as keys of `tags`. */
  readonly tagLines: readonly (readonly number[])[]
  /** By the two letters of the data series. */
  readonly series: ReadonlyMap<string, Encoding>
  /** By the two letters and the type of the tag in one number, the first letter highest. */
  readonly tags: ReadonlyMap<number, Encoding>
}

/** Reads a compression header block's inflated bytes. @throws HtsvaultError CRAM_CORRUPT */
export function readCompressionHeader(bytes: Uint8Array): CompressionHeader {
  const cursor = new Cursor(bytes)
  return { ...readPreservation(map(cursor)), series: readSeries(map(cursor)), tags: readTags(map(cursor)) }
}

/** A map is its length in bytes, then what is in it. */
function map(cursor: Cursor): Cursor {
  return new Cursor(cursor.take(cursor.itf8()))
}

function readPreservation(cursor: Cursor) {
  let namesKept = false
  let positionDeltas = true
  let tagLines: number[][] = []
  for (let entries = cursor.count('preservation entries'); entries > 0; entries--) {
    const key = readKey(cursor)
    if (key === 'SM') cursor.take(5)
    else if (key === 'TD') tagLines = readTagLines(cursor.take(cursor.itf8()))
    else {
      const value = cursor.uint8() !== 0
      if (key === 'RN') namesKept = value
      if (key === 'AP') positionDeltas = value
    }
  }
  return { namesKept, positionDeltas, tagLines }
}

const readKey = (cursor: Cursor) => String.fromCharCode(cursor.uint8(), cursor.uint8())

/** Lines of three-byte tags, each line ended by a zero. */
function readTagLines(bytes: Uint8Array): number[][] {
  const lines: number[][] = []
  let line: number[] = []
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === 0) {
      lines.push(line)
      line = []
      at++
      continue
    }
    if (at + 3 > bytes.length) throw corrupt('the tag dictionary ends within a tag')
    line.push((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!)
    at += 3
  }
  if (line.length > 0) lines.push(line)
  return lines
}

function readSeries(cursor: Cursor): Map<string, Encoding> {
  const series = new Map<string, Encoding>()
  for (let entries = cursor.count('data series'); entries > 0; entries--) {
    const key = readKey(cursor)
    series.set(key, readEncoding(cursor))
  }
  return series
}

function readTags(cursor: Cursor): Map<number, Encoding> {
  const tags = new Map<number, Encoding>()
  for (let entries = cursor.count('tags'); entries > 0; entries--) {
    const key = cursor.itf8()
    tags.set(key, readEncoding(cursor))
  }
  return tags
}
