import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import type { VcfHeader } from '#shared/vcf/VcfHeader.ts'
import { VcfScanner } from '#shared/vcf/VcfScanner.ts'
import { writeCsi } from './csi/writeCsi.ts'
import type { FileIndexer, IndexedFile, Reference } from './FileIndexer.ts'
import { writeTabixHeader } from './tbi/tabixHeader.ts'
import { writeTbi } from './tbi/writeTbi.ts'
import { VariantIndexes, longestOfTbi, placing } from './VariantIndexes.ts'

/** `bcftools index` gives the CSI of a VCF six levels at least: 2^32 bases. */
const csiLevels = 6

export interface VcfIndexerOptions {
  /** The index to make; unless told, `tbi` where all contigs and records end before 2^29, `csi` elsewhere. */
  readonly index?: 'tbi' | 'csi' | undefined
}

/**
 * Indexes a bgzipped VCF file: TBI as `tabix -p vcf` writes it, or CSI as `bcftools index` does.
 *
 * `references` are the header's contigs, then those that only records name; the standard index lists those that have
 * records, in the order of the file, as tabix does.
 */
export class VcfIndexer implements FileIndexer {
  readonly #indexes = new VariantIndexes()
  readonly #references: Reference[] = []
  readonly #idOf = new Map<string, number>()
  /** The references with records, in the order of the file, and the place of each. */
  readonly #listed = new Map<string, number>()
  readonly #scanner: VcfScanner
  readonly #reader: BgzfReader
  readonly #wanted: 'tbi' | 'csi' | undefined
  #header: VcfHeader | undefined

  constructor({ index }: VcfIndexerOptions = {}) {
    this.#wanted = index
    const indexes = this.#indexes
    indexes.references = this.#references
    this.#scanner = new VcfScanner({
      header: (header, text, end) => {
        this.#header = header
        for (const { name, length } of header.contigs)
          this.#addReference(length === undefined ? { name } : { name, length })
        indexes.header(text, end, 0)
      },
      contig: name => {
        indexes.listed = this.#listed.get(name) ?? this.#listed.size
        this.#listed.set(name, indexes.listed)
        return this.#idOf.get(name) ?? this.#addReference({ name })
      },
      record: (reference, begin, end, start) => indexes.record(reference, begin, end, start),
    })
    this.#reader = new BgzfReader((plain, offset, size) => this.#scanner.block(plain, offset, size))
  }

  /** @throws HtsvaultError UNSORTED, and what BgzfReader and VcfScanner throw; with the place */
  push(chunk: Uint8Array): void {
    placing(
      () => this.#reader.push(chunk),
      () => this.#scanner.place,
    )
  }

  /** @throws HtsvaultError as `push`; INDEX_TOO_LARGE; POSITION_TOO_LARGE where a TBI was asked for */
  finish(): IndexedFile {
    placing(
      () => {
        this.#reader.finish()
        this.#scanner.finish()
      },
      () => this.#scanner.place,
    )
    const { version = '', longestContig } = this.#header!
    const index = this.#standardIndex(longestContig)
    return this.#indexes.file('VCF', version, this.#scanner.records, this.#reader.offset, index)
  }

  #standardIndex(longestContig: number): IndexedFile['index'] {
    const indexes = this.#indexes
    const { end } = this.#scanner
    let longest = indexes.furthest
    for (const { length = 0 } of this.#references) if (length > longest) longest = length
    const kind = this.#wanted ?? (longest > longestOfTbi ? 'csi' : 'tbi')
    if (kind === 'tbi') return { kind, bytes: writeTbi(indexes.asTbi(end), [...this.#listed.keys()]) }
    const index = indexes.asCsi(end, longestContig, csiLevels)
    return { kind, bytes: writeCsi(index, writeTabixHeader([...this.#listed.keys()])) }
  }

  #addReference(reference: Reference): number {
    const id = this.#references.push(reference) - 1
    this.#idOf.set(reference.name, id)
    return id
  }
}
