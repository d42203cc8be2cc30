import { HtsvaultError } from '#shared/errors.ts'
import { maxBlockOffset, virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { severalReferences, unplaced } from '#shared/cram/ContainerHeader.ts'
import type { ScannedSlice } from '#shared/cram/CramScanner.ts'
import { BlockMapBuilder } from '../blockMap/BlockMapBuilder.ts'
import { RunTable } from '../binning/RunTable.ts'
import { CraiBuilder } from '../crai/CraiBuilder.ts'
import type { CramOrder, Findings } from './Findings.ts'

/** Takes a CRAM's slices to its CRAI, line for line as `samtools index` writes it, and to the block map. */
export class CramGatherer {
  /** How many the header names. */
  references: number
  readonly #crai = new CraiBuilder()
  readonly #blockMap = new BlockMapBuilder()
  #records = 0
  #unplaced = 0
  #first: CramOrder['first'] | undefined
  #lastRefId = -9
  #lastStart = 0

  constructor(references = 0) {
    this.references = references
  }

  /** All that was found. */
  findings(): Findings {
    return {
      records: this.#records,
      runs: new RunTable(),
      units: this.#blockMap.units(),
      contigs: [],
      furthest: 0,
      crai: this.#crai.text(),
      unplaced: this.#unplaced,
      order: this.#first && { first: this.#first, last: { refId: this.#lastRefId, start: this.#lastStart } },
    }
  }

  /** The next slice. @throws HtsvaultError UNSORTED, CRAM_CORRUPT, FILE_TOO_LARGE; what the slice's `extents` throws */
  slice(slice: ScannedSlice): void {
    if (slice.containerOffset > maxBlockOffset)
      throw new HtsvaultError('FILE_TOO_LARGE', 'the file is over 128 GiB', {
        hint: 'Split it by reference (samtools view -O cram FILE.cram REFERENCE) and upload the parts.',
      })
    const { refId, start, span, records } = slice.header
    const first = this.#records + 1
    this.#records += records
    if (refId === severalReferences) {
      this.#severalReferences(slice, first)
      return
    }
    this.#checkReference(refId)
    this.#checkOrder(refId, start, first, slice)
    if (refId === unplaced) this.#unplaced += records
    this.#lastRefId = refId
    this.#lastStart = start
    this.#crai.add(refId, start, span, slice.containerOffset, slice.landmark, slice.size)
    const begin = start - 1
    this.#blockMap.add(refId, begin, begin + Math.max(span, 1), virtualOffset(slice.containerOffset, 0))
  }

  /** A line for each run of records on one reference. `record` is the number of the slice's first. */
  #severalReferences(slice: ScannedSlice, record: number): void {
    const { containerOffset, landmark, size } = slice
    const unit = virtualOffset(containerOffset, 0)
    let ref = -9
    let begin = 0
    let previous = 0
    let furthest = 0
    const line = () => {
      if (ref !== -9) this.#crai.add(ref, begin, furthest - begin + 1, containerOffset, landmark, size)
    }
    slice.extents((refId, first, last) => {
      if (refId === ref) {
        if (first < previous) throw unsortedCram(record)
        if (last > furthest) furthest = last
      } else {
        line()
        this.#checkReference(refId)
        this.#checkOrder(refId, first, record, slice)
        ref = refId
        begin = first
        furthest = last
      }
      previous = first
      record++
      if (refId === unplaced) this.#unplaced++
      this.#blockMap.add(refId, first - 1, last, unit)
    })
    line()
    if (ref === -9) return
    this.#lastRefId = ref
    this.#lastStart = previous
  }

  /** Whether records on `refId` may come after the last ones. */
  #checkOrder(refId: number, start: number, record: number, slice: ScannedSlice): void {
    this.#first ??= { refId, start, record, offset: slice.offset }
    if (refId === this.#lastRefId && start < this.#lastStart && refId !== unplaced) throw unsortedCram(record)
  }

  #checkReference(refId: number): void {
    if (refId < unplaced || refId >= this.references)
      throw new HtsvaultError(
        'CRAM_CORRUPT',
        'a slice or record lies on a reference that the header does not name',
        {
          hint: 'Make the file again from its source: samtools view -O cram -T REFERENCE.fa -o NEW.cram FILE.',
        },
      )
  }
}

/** `record`: the first that stands wrong, or the first of the slice that does. */
export const unsortedCram = (record: number) =>
  new HtsvaultError('UNSORTED', 'the file is not sorted by reference and position', {
    place: { record },
    hint: 'samtools sort -O cram -o SORTED.cram FILE.cram, then upload the sorted file.',
  })
