import { eofMarker } from '#shared/bgzf/bgzfBlock.ts'
import { virtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError, type Place } from '#shared/errors.ts'
import type { BinningIndex } from './binning/BinningIndex.ts'
import { BinningIndexBuilder } from './binning/BinningIndexBuilder.ts'
import { baiScheme, csiScheme, maxDepth } from './binning/bins.ts'
import { BlockMapBuilder } from './blockMap/BlockMapBuilder.ts'
import type { Format, IndexedFile, Reference } from './FileIndexer.ts'

/** The longest reference of a TBI, in bases. */
export const longestOfTbi = 2 ** 29 - 1

/**
 * The two indexes of a VCF or BCF file while they are built. The standard one is kept in the widest scheme there is,
 * and written in one that its records turned out to fit.
 */
export class VariantIndexes {
  references: readonly Reference[] = []
  /** The furthest end of any record, in bases. */
  furthest = 0
  /** What the standard index calls the reference of the current records. */
  listed = -1
  #binning = widest(0)
  readonly #blockMap = new BlockMapBuilder()
  #header: Uint8Array = new Uint8Array(0)
  #headerEnd = virtualOffset(0, 0)

  /** The header's bytes, where it ends, and how many references the standard index lists whether or not they are used. */
  header(bytes: Uint8Array, end: VirtualOffset, listed: number): void {
    this.#binning = widest(listed)
    this.#header = bytes
    this.#headerEnd = end
  }

  /** The next record: on `references[reference]`, 0-based half-open. @throws HtsvaultError UNSORTED */
  record(reference: number, begin: number, end: number, start: VirtualOffset): void {
    this.#binning.add(this.listed, begin, end, start, true)
    this.#blockMap.add(reference, begin, end, start)
    if (end > this.furthest) this.furthest = end
  }

  /** @throws HtsvaultError POSITION_TOO_LARGE, INDEX_TOO_LARGE */
  asTbi(end: VirtualOffset): BinningIndex {
    return this.#binning.finish(end, { depth: baiScheme.depth, linear: true })
  }

  /** With `levels` at least, and as many as the records and a reference of a declared length need. */
  asCsi(end: VirtualOffset, longestReference: number, levels = 0): BinningIndex {
    let depth = Math.max(levels, csiScheme(longestReference).depth)
    while (2 ** (baiScheme.minShift + 3 * depth) < this.furthest) depth++
    return this.#binning.finish(end, { depth, linear: false })
  }

  /** What the pass found, when the file of `size` bytes is at its end. */
  file(
    format: Format,
    formatVersion: string,
    records: number,
    size: number,
    index: IndexedFile['index'],
  ): IndexedFile {
    const headerEnd = this.#headerEnd
    const dataEnd = virtualOffset(size - eofMarker.length, 0)
    const { references } = this
    const blockMap = this.#blockMap.finish({
      format,
      headerEnd,
      dataEnd,
      fileSize: size,
      header: this.#header,
      eof: eofMarker,
      references,
    })
    return {
      format,
      formatVersion,
      references,
      records,
      unplacedRecords: 0,
      index,
      blockMap,
      size,
      headerEnd,
      dataEnd,
    }
  }
}

const widest = (references: number) =>
  new BinningIndexBuilder({ minShift: baiScheme.minShift, depth: maxDepth, references, linear: false })

/** Does `work`; what is not known of an error's place `place` tells. */
export function placing<T>(work: () => T, place: () => Place): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof HtsvaultError ? withVariantHint(error).at(place()) : error
  }
}

function withVariantHint(error: HtsvaultError): HtsvaultError {
  if (error.code !== 'NOT_BGZF') return error
  return new HtsvaultError('NOT_BGZF', error.message, {
    ...(error.place && { place: error.place }),
    hint: 'gunzip -c FILE.vcf.gz | bgzip > NEW.vcf.gz (or: bcftools view -Oz -o NEW.vcf.gz FILE.vcf.gz)',
    cause: error.cause,
  })
}
