import { blockOf, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { defaultLayout } from './layout.ts'
import { OpenExtent } from './OpenExtent.ts'
import { UnitTable, unsorted } from './UnitTable.ts'
import { writeBlockMap, type MappedFile } from './writeBlockMap.ts'

/**
 * Builds a file's block map (docs/block-map.md) while its records go by, in the order of the file.
 *
 * The records of a reference are one stretch of the file; the references may come in any order. What is kept is some
 * 30 bytes for each BGZF block or container.
 */
export class BlockMapBuilder {
  readonly #table = new UnitTable()
  /** The run of each reference that was seen. */
  readonly #runOf = new Map<number, number>()
  /** The open unit: where it begins, where the next block begins at the earliest, its first run, its extents. */
  #start = -1
  #limit = 0
  #firstRun = 0
  #extents: OpenExtent[] = []
  /** The extents of closed units, to be used again. */
  #spare: OpenExtent[] = []
  #current = new OpenExtent()
  /** Where the last unit's last extent begins: the next unit's on that run begins there or later. */
  #lastRun = -1
  #lastBeg = 0

  /**
   * Takes one record: on reference `refId` (-1: unplaced, its positions are ignored), from `beg` to `end` (0-based,
   * half-open; one without a length counts as one base), begun at `start`. Of a CRAM, one extent of one container,
   * which begins at `start`; several on one reference make up what they cover together.
   * @throws HtsvaultError UNSORTED where a reference or position comes after one that it should come before
   */
  add(refId: number, beg: number, end: number, start: VirtualOffset): void {
    if (start < this.#limit && refId === this.#current.refId) {
      if (refId >= 0) this.#current.add(beg, end)
    } else this.#turn(refId, beg, end, start)
  }

  /** The units of all that was added: the state of the map before it is written. @throws HtsvaultError UNSORTED */
  units(): UnitTable {
    this.#closeUnit()
    return this.#table
  }

  /**
   * The block map as a file's bytes, its pages cut by `layout`. The builder takes nothing after that.
   * @throws HtsvaultError UNSORTED; BLOCK_MAP_REFERENCE where a record's reference is none of `file.references`
   */
  finish(file: MappedFile, layout = defaultLayout): Uint8Array {
    return writeBlockMap(this.units(), file, layout)
  }

  /** A record in another unit, or on another reference, than the one before it. */
  #turn(refId: number, beg: number, end: number, start: VirtualOffset): void {
    if (start >= this.#limit) {
      this.#closeUnit()
      this.#start = start
      this.#limit = (blockOf(start) + 1) * 65536
    } else if (start < this.#start) throw unsorted(start)

    const known = this.#runOf.get(refId)
    const run = known ?? this.#runOf.size
    if (known === undefined) this.#runOf.set(refId, run)
    if (this.#extents.length === 0) {
      if (run < this.#lastRun) throw unsorted(start)
      this.#firstRun = run
    }
    const at = run - this.#firstRun
    if (at < 0) throw unsorted(start)
    const extent = this.#extents[at]
    if (extent) {
      this.#current = extent
      if (refId >= 0) extent.add(beg, end)
    } else {
      this.#current = this.#spare.pop() ?? new OpenExtent()
      this.#current.open(refId, refId < 0 ? 0 : beg, refId < 0 ? 1 : end)
      this.#extents.push(this.#current)
    }
  }

  #closeUnit(): void {
    const extents = this.#extents
    if (extents.length === 0) return
    if (this.#firstRun === this.#lastRun && extents[0]!.beg < this.#lastBeg)
      throw unsorted(this.#start as VirtualOffset)
    this.#table.push(this.#start, this.#firstRun, extents)
    this.#lastRun = this.#firstRun + extents.length - 1
    this.#lastBeg = extents.at(-1)!.beg
    this.#spare = extents
    this.#extents = []
  }
}
