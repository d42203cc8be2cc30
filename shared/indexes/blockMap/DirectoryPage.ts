import { crc32 } from 'node:zlib'
import { blockOf, virtualOffset, withinOf, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { corrupt } from './corrupt.ts'
import type { PageEntry, Stretch, WrittenPage } from './Page.ts'
import { VarintReader } from './VarintReader.ts'
import { VarintWriter } from './VarintWriter.ts'

/** Tag of an entry: it begins within a block; it begins with the run after the last one of the entry before. */
const entryTag = { within: 1, nextRun: 2, runs: 4 } as const

const maxPosition = 2 ** 32 - 1
const maxBlock = 2 ** 37

/** Writes the directory of pages that lie one after the other from `offset` on. */
export function writeDirectory(children: readonly WrittenPage[], offset: number): WrittenPage {
  const first = children[0]!
  const last = children.at(-1)!
  const writer = new VarintWriter()
  writer.varint(children.length)
  writer.varint(first.firstRun)
  writer.varint(offset)
  let lastRun = first.firstRun
  let block = 0
  let begRun = -1
  let beg = 0
  for (const child of children) {
    const start = child.start as VirtualOffset
    writer.varint(
      (withinOf(start) > 0 ? entryTag.within : 0) +
        (child.firstRun === lastRun ? 0 : entryTag.nextRun) +
        (child.lastRun - child.firstRun) * entryTag.runs,
    )
    writer.varint(child.length)
    writer.uint32(child.crc32)
    writer.varint(blockOf(start) - block)
    if (withinOf(start) > 0) {
      writer.varint(withinOf(start))
      writer.varint(child.border - blockOf(start))
    }
    writer.varint(child.firstBeg - (child.firstRun === begRun ? beg : 0))
    writer.varint(child.firstEnd - child.firstBeg - 1)
    if (child.lastRun > child.firstRun) writer.varint(child.lastEnd)
    block = blockOf(start)
    lastRun = child.lastRun
    begRun = child.firstRun
    beg = child.firstBeg
  }
  const bytes = writer.take()
  let firstEnd = 0
  let lastEnd = 0
  for (const child of children) {
    if (child.firstRun === first.firstRun) firstEnd = Math.max(firstEnd, child.firstEnd)
    if (child.firstRun === last.lastRun) lastEnd = Math.max(lastEnd, child.firstEnd)
    if (child.lastRun === last.lastRun) lastEnd = Math.max(lastEnd, child.lastEnd)
  }
  return {
    ...first,
    bytes,
    length: bytes.length,
    crc32: crc32(bytes),
    lastRun: last.lastRun,
    firstEnd,
    lastEnd,
  }
}

/**
 * Reads a directory, whose checksum was checked, that lies at `offset` of the map and is to cover `stretch` of a file
 * with `runs` runs. The pages that it names lie before it.
 * @throws HtsvaultError BLOCK_MAP_CORRUPT
 */
export function readDirectory(
  bytes: Uint8Array,
  stretch: Stretch,
  runs: number,
  offset: number,
): PageEntry[] {
  const reader = new VarintReader(bytes)
  const count = reader.count(9)
  if (count === 0) throw corrupt('a directory is empty', offset)
  let lastRun = reader.varint()
  let at = reader.varint()
  let block = 0
  let begRun = -1
  let beg = 0
  const entries: PageEntry[] = []
  for (let i = 0; i < count; i++) {
    const tag = reader.varint()
    const length = reader.varint()
    const crc32 = reader.uint32()
    block += reader.varint()
    let within = 0
    let border = block
    if ((tag & entryTag.within) !== 0) {
      within = reader.varint()
      border += reader.varint()
    }
    if (border >= maxBlock || within >= 65536) throw corrupt('a page begins beyond any file', offset)
    const firstRun = lastRun + ((tag & entryTag.nextRun) === 0 ? 0 : 1)
    lastRun = firstRun + Math.floor(tag / entryTag.runs)
    if (lastRun >= runs) throw corrupt('a page is on a run that is not there', offset)
    beg = reader.varint() + (firstRun === begRun ? beg : 0)
    begRun = firstRun
    const firstEnd = beg + 1 + reader.varint()
    const lastEnd = lastRun > firstRun ? reader.varint() : firstEnd
    if (firstEnd > maxPosition || lastEnd > maxPosition)
      throw corrupt('a page ends beyond any position', offset)
    const start = virtualOffset(block, within)
    if (start <= (entries.at(-1)?.start ?? -1)) throw corrupt('pages are out of order', offset)
    if (length === 0 || at + length > offset) throw corrupt('a page lies beyond its directory', offset)
    entries.push({
      offset: at,
      length,
      crc32,
      start,
      border,
      firstRun,
      lastRun,
      firstBeg: beg,
      firstEnd,
      lastEnd,
    })
    at += length
  }
  reader.end()
  if (entries[0]!.start !== stretch.start || entries.at(-1)!.start >= stretch.end)
    throw corrupt('a directory is not where its parent says', offset)
  for (const [i, { border }] of entries.entries())
    if (border > blockOf((entries[i + 1]?.start ?? stretch.end) as VirtualOffset))
      throw corrupt('a block border lies beyond its page', offset)
  return entries
}
