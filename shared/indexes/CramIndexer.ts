import { HtsvaultError } from '#shared/errors.ts'
import { maxBlockOffset, virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { severalReferences, unplaced } from '#shared/cram/ContainerHeader.ts'
import { CramScanner, type CramSink, type ScannedSlice } from '#shared/cram/CramScanner.ts'
import type { FileDefinition } from '#shared/cram/FileDefinition.ts'
import { readSamHeader, type SamReference } from '#shared/cram/readSamHeader.ts'
import { BlockMapBuilder } from './blockMap/BlockMapBuilder.ts'
import { CraiBuilder } from './crai/CraiBuilder.ts'
import type { FileIndexer, IndexedFile } from './FileIndexer.ts'

/**
 * Indexes a CRAM file (2.1, 3.0, 3.1): CRAI line for line as `samtools index` writes it, and the block map, whose
 * units are containers.
 */
export class CramIndexer implements FileIndexer {
  readonly #found = new FoundInCram()
  readonly #scanner = new CramScanner(this.#found)

  /** @throws HtsvaultError UNSORTED, FILE_TOO_LARGE; and what CramScanner throws, with the place */
  push(chunk: Uint8Array): void {
    this.#scanner.push(chunk)
  }

  /** @throws HtsvaultError CRAM_NO_EOF, CRAM_TRUNCATED, and as `push` */
  finish(): IndexedFile {
    const eof = this.#scanner.finish()
    const { definition, references, prefix, crai, blockMap, records, unplacedRecords } = this.#found
    const headerEnd = virtualOffset(prefix.length, 0)
    const dataEnd = virtualOffset(eof.offset, 0)
    return {
      format: 'CRAM',
      formatVersion: `${definition.major}.${definition.minor}`,
      references,
      records,
      unplacedRecords,
      index: { kind: 'crai', bytes: crai.finish() },
      blockMap: blockMap.finish({
        format: 'CRAM',
        headerEnd,
        dataEnd,
        fileSize: eof.size,
        header: prefix,
        eof: eof.bytes,
        references,
      }),
      size: eof.size,
      headerEnd,
      dataEnd,
    }
  }
}

/** What the scan of a file tells, gathered. */
class FoundInCram implements CramSink {
  definition: FileDefinition = { major: 3, minor: 0 }
  references: readonly SamReference[] = []
  prefix: Uint8Array = new Uint8Array(0)
  readonly crai = new CraiBuilder()
  readonly blockMap = new BlockMapBuilder()
  records = 0
  unplacedRecords = 0
  #lastRefId = -9
  #lastStart = 0

  header(definition: FileDefinition, samHeader: Uint8Array, prefix: Uint8Array): void {
    this.definition = definition
    this.references = readSamHeader(samHeader)
    this.prefix = prefix
  }

  slice(slice: ScannedSlice): void {
    if (slice.containerOffset > maxBlockOffset)
      throw new HtsvaultError('FILE_TOO_LARGE', 'the file is over 128 GiB', {
        hint: 'Split it by reference (samtools view -O cram FILE.cram REFERENCE) and upload the parts.',
      })
    const { refId, start, span, records } = slice.header
    const first = this.records + 1
    this.records += records
    if (refId === severalReferences) {
      this.#severalReferences(slice, first)
      return
    }
    this.#checkReference(refId)
    if (refId === unplaced) this.unplacedRecords += records
    else if (refId === this.#lastRefId && start < this.#lastStart) throw unsorted(first)
    this.#lastRefId = refId
    this.#lastStart = start
    this.crai.add(refId, start, span, slice.containerOffset, slice.landmark, slice.size)
    const begin = start - 1
    this.blockMap.add(refId, begin, begin + Math.max(span, 1), virtualOffset(slice.containerOffset, 0))
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
      if (ref !== -9) this.crai.add(ref, begin, furthest - begin + 1, containerOffset, landmark, size)
    }
    slice.extents((refId, first, last) => {
      if (refId === ref) {
        if (first < previous) throw unsorted(record)
        if (last > furthest) furthest = last
      } else {
        line()
        this.#checkReference(refId)
        if (refId === this.#lastRefId && first < this.#lastStart && refId !== unplaced) throw unsorted(record)
        ref = refId
        begin = first
        furthest = last
      }
      previous = first
      record++
      if (refId === unplaced) this.unplacedRecords++
      this.blockMap.add(refId, first - 1, last, unit)
    })
    line()
    if (ref === -9) return
    this.#lastRefId = ref
    this.#lastStart = previous
  }

  #checkReference(refId: number): void {
    if (refId < unplaced || refId >= this.references.length)
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
const unsorted = (record: number) =>
  new HtsvaultError('UNSORTED', 'the file is not sorted by reference and position', {
    place: { record },
    hint: 'samtools sort -O cram -o SORTED.cram FILE.cram, then upload the sorted file.',
  })
