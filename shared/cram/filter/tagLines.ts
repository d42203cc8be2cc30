import { corrupt } from '../cramErrors.ts'
import { CramWriter } from '../CramWriter.ts'
import type { CompressionMaps } from './CompressionMaps.ts'

/** TD: for each tag line its tags, as keys of the tag map; lines without tags too, they are counted. */
export type TagLines = readonly (readonly number[])[]

/** @throws HtsvaultError CRAM_CORRUPT */
export function readTagLines({ preservation }: CompressionMaps): TagLines {
  const bytes = preservation.get('TD') ?? new Uint8Array(0)
  const lines: number[][] = []
  for (let at = 0; at < bytes.length; at++) {
    const line: number[] = []
    for (; bytes[at] !== 0; at += 3) {
      if (at + 3 >= bytes.length) throw corrupt('the tag dictionary ends within a line')
      line.push((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!)
    }
    lines.push(line)
  }
  return lines
}

export function writeTagLines(lines: TagLines): Uint8Array {
  const writer = new CramWriter()
  for (const line of lines) {
    for (const tag of line)
      writer
        .uint8(tag >>> 16)
        .uint8(tag >>> 8)
        .uint8(tag)
    writer.uint8(0)
  }
  return writer.take()
}

export const tagName = (tag: number): string => String.fromCharCode((tag >>> 16) & 0xff, (tag >>> 8) & 0xff)

/** htslib notes a tag that a reader is to make from bases and reference by the type `*`. */
export const isStored = (tag: number): boolean => (tag & 0xff) !== 0x2a
