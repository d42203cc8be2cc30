import { HtsvaultError } from '#shared/errors.ts'
import type { BinningIndex } from './BinningIndex.ts'
import { type BinningScheme, maxDepth } from './bins.ts'
import { Float64Column, Uint32Column } from './Columns.ts'
import type { BinningLayout } from './writeBinningIndex.ts'

/** What an index format has before its first reference. */
export interface BinningHead extends BinningScheme, BinningLayout {
  readonly references: number
  /** Where the first reference starts, in bytes. */
  readonly at: number
}

/**
 * Reads the references of a BAI, TBI or CSI index, inflated, and the count of unplaced records if there is one.
 * @throws HtsvaultError INDEX_INVALID
 */
export function readBinningIndex(bytes: Uint8Array, head: BinningHead): BinningIndex {
  const { minShift, depth, references, loffsets: hasLoffsets, linear } = head
  if (!(minShift >= 0 && minShift <= 31 && depth >= 0 && depth <= maxDepth))
    throw invalid('has a binning scheme that is not known', 0)
  const reader = new IndexCursor(bytes, head.at)
  reader.expect(references, linear ? 8 : 4)
  const referenceBins = new Uint32Array(references + 1)
  const referenceWindows = new Uint32Array(references + 1)
  const bins = new Uint32Column()
  const loffsets = new Float64Column()
  const binChunks = new Uint32Column()
  const chunkStarts = new Float64Column()
  const chunkEnds = new Float64Column()
  const windows = new Float64Column()
  for (let reference = 0; reference < references; reference++) {
    const binsHere = reader.count(hasLoffsets ? 16 : 8)
    for (let i = 0; i < binsHere; i++) {
      bins.push(reader.uint32())
      loffsets.push(hasLoffsets ? reader.uint64() : 0)
      binChunks.push(chunkStarts.length)
      const chunks = reader.count(16)
      for (let k = 0; k < chunks; k++) {
        chunkStarts.push(reader.uint64())
        chunkEnds.push(reader.uint64())
      }
    }
    const windowsHere = linear ? reader.count(8) : 0
    for (let i = 0; i < windowsHere; i++) windows.push(reader.uint64())
    referenceBins[reference + 1] = bins.length
    referenceWindows[reference + 1] = windows.length
  }
  binChunks.push(chunkStarts.length)
  return {
    minShift,
    depth,
    references,
    referenceBins,
    bins: bins.view(),
    loffsets: loffsets.view(),
    binChunks: binChunks.view(),
    chunkStarts: chunkStarts.view(),
    chunkEnds: chunkEnds.view(),
    referenceWindows,
    windows: windows.view(),
    unplaced: reader.left >= 8 ? reader.uint64() : undefined,
  }
}

/** Reads little-endian numbers, bounds-checked. */
export class IndexCursor {
  readonly #view: DataView
  at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
  }

  get left(): number {
    return this.#view.byteLength - this.at
  }

  uint32(): number {
    this.expect(1, 4)
    const value = this.#view.getUint32(this.at, true)
    this.at += 4
    return value
  }

  uint64(): number {
    const low = this.uint32()
    const value = this.uint32() * 2 ** 32 + low
    if (value > Number.MAX_SAFE_INTEGER)
      throw invalid('names a place that no file of 128 GiB has', this.at - 8)
    return value
  }

  /** A number of things of at least `itemSize` bytes each, for which there is room. */
  count(itemSize: number): number {
    const value = this.uint32()
    this.expect(value, itemSize)
    return value
  }

  /** @throws HtsvaultError INDEX_INVALID unless so many bytes are left */
  expect(items: number, itemSize: number): void {
    if (items * itemSize > this.left) throw invalid('ends before all that it announces', this.at)
  }
}

/** `what` follows «the index»; `offset` is in the inflated index. */
export function invalid(what: string, offset: number): HtsvaultError {
  return new HtsvaultError('INDEX_INVALID', `the index ${what}`, {
    place: { offset },
    hint: 'index the file again: samtools index, bcftools index or htsvault index',
  })
}
