import { crc32 } from 'node:zlib'
import { coalesce } from '#shared/bytes/ByteRange.ts'
import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { corrupt } from './corrupt.ts'
import { readDirectory } from './DirectoryPage.ts'
import { readLeaf } from './LeafPage.ts'
import type { PageEntry } from './Page.ts'
import type { RegionSet } from './RegionSet.ts'
import { selectUnits } from './selectUnits.ts'
import { runBytes, type UnitRun } from './UnitRun.ts'

/** A page to look into, and where in the file its last unit ends. */
interface Visit {
  readonly page: PageEntry
  /** Virtual offset. */
  readonly end: number
}

/** Pages that are read together, at most: it bounds the memory of a query that looks into many. */
const batchPages = 64
/** Bytes between two pages that are read rather than to ask twice. */
const readGap = 16384
/** Bytes of pages that are kept. */
const cacheBytes = 4 << 20

/** Walks a map's pages down from the root, level by level, and reads those that a query has to look into. */
export class PageReader {
  readonly #source: ByteSource
  readonly #runs: number
  /** By offset in the map, the one used last at the end. */
  readonly #cache = new Map<number, Uint8Array>()
  #cached = 0

  constructor(source: ByteSource, runs: number) {
    this.#source = source
    this.#runs = runs
  }

  /** Keeps a page that was read already. */
  remember(page: PageEntry, bytes: Uint8Array): void {
    if (this.#cache.has(page.offset)) return
    this.#cache.set(page.offset, bytes.slice())
    this.#cached += bytes.length
    for (const [offset, { length }] of this.#cache) {
      if (this.#cached <= cacheBytes) return
      this.#cache.delete(offset)
      this.#cached -= length
    }
  }

  /**
   * The units that the regions take, below `root` with its `levels` of directories; not in order. A page of which all
   * is taken is looked into only where it covers more than `limit` bytes of the file.
   */
  async select(
    root: PageEntry,
    levels: number,
    dataEnd: VirtualOffset,
    regions: RegionSet,
    limit = Infinity,
  ): Promise<UnitRun[]> {
    const found: UnitRun[] = []
    let visits: Visit[] = [{ page: root, end: dataEnd }]
    for (let level = levels; level >= 0; level--) {
      const below: Visit[] = []
      for (let i = 0; i < visits.length; i += batchPages) {
        const batch = visits.slice(i, i + batchPages)
        const pages = await this.#read(batch.map(visit => visit.page))
        for (const [j, { page, end }] of batch.entries()) {
          const stretch = { start: page.start, end }
          if (level === 0) {
            const leaf = readLeaf(pages[j]!, stretch, this.#runs)
            for (const run of selectUnits(leaf, regions, limit)) found.push(run)
            continue
          }
          const entries = readDirectory(pages[j]!, stretch, this.#runs, page.offset)
          for (const [k, entry] of entries.entries()) {
            const coverage = regions.coverageOf(entry)
            if (coverage === 'none') continue
            const stop = entries[k + 1]?.start ?? end
            const run: UnitRun = {
              start: entry.start as VirtualOffset,
              end: stop as VirtualOffset,
              border: entry.border,
            }
            if (coverage === 'some' || runBytes(run) > limit) below.push({ page: entry, end: stop })
            else found.push(run)
          }
        }
      }
      visits = below
    }
    return found
  }

  /** The bytes of pages, those that lie close together by one read. */
  async #read(pages: readonly PageEntry[]): Promise<Uint8Array[]> {
    const got = new Map<number, Uint8Array>()
    const missing: PageEntry[] = []
    for (const page of pages) {
      const bytes = this.#cache.get(page.offset)
      if (bytes?.length !== page.length) {
        missing.push(page)
        continue
      }
      this.#cache.delete(page.offset)
      this.#cache.set(page.offset, bytes)
      got.set(page.offset, bytes)
    }
    const ranges = coalesce(
      missing.map(({ offset, length }) => ({ start: offset, end: offset + length })),
      readGap,
    )
    const reads = await Promise.all(ranges.map(({ start, end }) => this.#source.read(start, end)))
    for (const page of missing) {
      const i = ranges.findIndex(({ start, end }) => start <= page.offset && page.offset < end)
      const from = page.offset - ranges[i]!.start
      const bytes = reads[i]!.subarray(from, from + page.length)
      if (crc32(bytes) !== page.crc32) throw corrupt('the checksum of a page is wrong', page.offset)
      got.set(page.offset, bytes)
      this.remember(page, bytes)
    }
    return pages.map(page => got.get(page.offset)!)
  }
}
