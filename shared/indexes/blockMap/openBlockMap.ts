import { crc32 } from 'node:zlib'
import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { Format, Reference } from '../FileIndexer.ts'
import { corrupt } from './corrupt.ts'
import { footerBytes, magic, readFooter, tailParts, type Footer } from './Footer.ts'
import type { PageEntry } from './Page.ts'
import { PageReader } from './PageReader.ts'
import type { Region } from './Region.ts'
import { RegionSet } from './RegionSet.ts'
import { readSummary, type Summary } from './Summary.ts'
import { joinUnits, runBytes, type UnitRun } from './UnitRun.ts'

/** A block map, open: what it keeps of its file, and the units of any regions. */
export interface BlockMap {
  readonly format: Format
  /** In the file's own order; a region's `refId` is an index into it. */
  readonly references: readonly Reference[]
  /** The header as a ticket serves it: BGZF blocks, or a CRAM's first bytes. Absent where it is over 4 MiB. */
  readonly header: Uint8Array | undefined
  /** Whether `header` is byte for byte the file's own. */
  readonly headerVerbatim: boolean
  /** The EOF marker. */
  readonly eof: Uint8Array
  readonly headerEnd: VirtualOffset
  readonly dataEnd: VirtualOffset
  /** In bytes. */
  readonly fileSize: number
  /** How many units (BGZF blocks in which a record begins, CRAM containers) there are. */
  readonly unitCount: number
  /**
   * The fewest units that hold every record of the regions: in the order of the file, those that follow each other in
   * one range, of at most `limit` bytes of the file where that is more than one unit. Reads the pages that it takes, none
   * twice while it is in the cache.
   * @throws HtsvaultError BLOCK_MAP_CORRUPT, and what the source throws
   */
  units(regions: readonly Region[], limit?: number): Promise<UnitRun[]>
}

/** What is read of a map's end at first where its tail is not known, in bytes. */
const guessedTail = 65536

/** The bytes at a map's end that `openBlockMap` wants: kept beside the map, it spares the reader a guess. */
export function blockMapTail(map: Uint8Array): number {
  return tailParts(readFooter(map, map.length)) + footerBytes
}

/**
 * Opens a block map: one read of its last `tail` bytes, and a second one if that was too few.
 * @throws HtsvaultError BLOCK_MAP_CORRUPT, BLOCK_MAP_VERSION, and what the source throws
 */
export async function openBlockMap(source: ByteSource, tail = guessedTail): Promise<BlockMap> {
  const { footer, bytes } = await readTail(source, tail)
  const summary = readSummary(bytes.summary, footer.summaryPlainBytes)
  const root = rootOf(footer, source.size, bytes.root, summary)
  const reader = new PageReader(source, summary.runs.length)
  if (root) reader.remember(root, bytes.root)

  return {
    format: footer.format,
    references: summary.references,
    header: footer.header === 'none' ? undefined : bytes.header,
    headerVerbatim: footer.header === 'verbatim',
    eof: bytes.eof,
    headerEnd: footer.headerEnd,
    dataEnd: footer.dataEnd,
    fileSize: footer.fileSize,
    unitCount: footer.units,
    async units(regions, limit = Infinity) {
      if (!root) return []
      const everything = { start: footer.unitsStart, end: footer.dataEnd, border: footer.unitsBorder }
      const placed = regions.filter(region => region !== 'everything')
      const all = placed.length < regions.length
      if (all && runBytes(everything) <= limit) return [everything]
      const set = new RegionSet(all ? regionsOf(summary) : placed, summary.runs)
      if (set.isEmpty) return []
      return joinUnits(await reader.select(root, footer.levels, footer.dataEnd, set, limit), limit)
    },
  }
}

/** Every record, as regions. */
const regionsOf = ({ runs }: Summary) =>
  runs.map(({ refId }) => (refId < 0 ? 'unplaced' : { refId, start: 0, end: Infinity }))

interface Tail {
  readonly header: Uint8Array
  readonly eof: Uint8Array
  readonly summary: Uint8Array
  readonly root: Uint8Array
}

async function readTail(source: ByteSource, guess: number): Promise<{ footer: Footer; bytes: Tail }> {
  const { size } = source
  if (size < magic.length + footerBytes) throw corrupt('it is too short')
  let start = Math.max(0, size - Math.max(guess, footerBytes))
  let tail = await source.read(start, size)
  const footer = readFooter(tail, size)
  const wanted = size - footerBytes - tailParts(footer)
  if (wanted < start) {
    const before = await source.read(wanted, start)
    const whole = new Uint8Array(before.length + tail.length)
    whole.set(before)
    whole.set(tail, before.length)
    tail = whole
    start = wanted
  }
  let at = wanted - start
  if (crc32(tail.subarray(at, tail.length - footerBytes)) !== footer.tailCrc32)
    throw corrupt('the checksum of its tail is wrong', wanted)
  const next = (length: number) => tail.subarray(at, (at += length))
  return {
    footer,
    bytes: {
      // Copied: a map that is kept open does not hold on to the whole read.
      header: next(footer.headerBytes).slice(),
      eof: next(footer.eofBytes).slice(),
      summary: next(footer.summaryBytes),
      root: next(footer.rootBytes),
    },
  }
}

/** The root, as a parent would tell of it: it covers the whole file. */
function rootOf(footer: Footer, size: number, bytes: Uint8Array, { runs }: Summary): PageEntry | undefined {
  if (footer.units === 0) return undefined
  if (runs.length === 0) throw corrupt('it has units and no runs')
  return {
    offset: size - footerBytes - footer.rootBytes,
    length: footer.rootBytes,
    crc32: crc32(bytes),
    start: footer.unitsStart,
    border: footer.unitsBorder,
    firstRun: 0,
    lastRun: runs.length - 1,
    firstBeg: runs[0]!.beg,
    firstEnd: runs[0]!.end,
    lastEnd: runs.at(-1)!.end,
  }
}
