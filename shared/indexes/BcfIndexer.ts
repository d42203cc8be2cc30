import type { BcfHeader } from '#shared/bcf/BcfHeader.ts'
import { BcfScanner } from '#shared/bcf/BcfScanner.ts'
import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { writeCsi } from './csi/writeCsi.ts'
import type { FileIndexer, IndexedFile } from './FileIndexer.ts'
import { VariantIndexes, placing } from './VariantIndexes.ts'

/** What `bcftools index` takes for the longest contig where the header gives no length. */
const unknownLength = 2 ** 31 - 1

/**
 * Indexes a BCF file: CSI as `bcftools index` writes it.
 *
 * `references` are the header's contigs by their number in the file's dictionary, without the gaps that the numbers
 * may have; the standard index counts by the numbers themselves.
 */
export class BcfIndexer implements FileIndexer {
  readonly #indexes = new VariantIndexes()
  /** From the dictionary's numbers to `references`. */
  readonly #idOf = new Map<number, number>()
  readonly #scanner: BcfScanner
  readonly #reader: BgzfReader
  #header: BcfHeader | undefined

  constructor() {
    const indexes = this.#indexes
    this.#scanner = new BcfScanner({
      header: (header, bytes, end) => {
        this.#header = header
        header.contigs.forEach(({ id }, i) => this.#idOf.set(id, i))
        indexes.references = header.contigs.map(({ name, length }) =>
          length === undefined ? { name } : { name, length },
        )
        indexes.header(bytes, end, header.contigs.length)
      },
      contig: id => {
        const reference = this.#idOf.get(id)
        if (reference === undefined) throw unknownContig(id)
        indexes.listed = id
        return reference
      },
      record: (reference, begin, end, start) => indexes.record(reference, begin, end, start),
    })
    this.#reader = new BgzfReader((plain, offset, size) => this.#scanner.block(plain, offset, size))
  }

  /** @throws HtsvaultError UNSORTED, and what BgzfReader and BcfScanner throw; with the place */
  push(chunk: Uint8Array): void {
    placing(
      () => this.#reader.push(chunk),
      () => this.#scanner.place,
    )
  }

  /** @throws HtsvaultError as `push`; INDEX_TOO_LARGE */
  finish(): IndexedFile {
    placing(
      () => {
        this.#reader.finish()
        this.#scanner.finish()
      },
      () => this.#scanner.place,
    )
    const { version, contigs } = this.#header!
    let longest = 0
    for (const { length = 0 } of contigs) if (length > longest) longest = length
    const index = this.#indexes.asCsi(this.#scanner.end, longest || unknownLength)
    return this.#indexes.file('BCF', version, this.#scanner.records, this.#reader.offset, {
      kind: 'csi',
      bytes: writeCsi(index),
    })
  }
}

const unknownContig = (id: number) =>
  new HtsvaultError('BCF_RECORD_INVALID', `a record names contig ${id}, which the header does not have`, {
    hint: 'Make the file again: bcftools view -Ob -o NEW.bcf FILE',
  })
