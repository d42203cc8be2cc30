import { virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { CramScanner } from '#shared/cram/CramScanner.ts'
import { readSamHeader } from '#shared/cram/readSamHeader.ts'
import type { FileIndexer, IndexedFile } from './FileIndexer.ts'
import { CramGatherer } from './scan/CramGatherer.ts'
import type { CramFileHeader } from './scan/FileHeader.ts'
import { fileOf } from './scan/fileOf.ts'

/**
 * Indexes a CRAM file (2.1, 3.0, 3.1): CRAI line for line as `samtools index` writes it, and the block map, whose
 * units are containers.
 */
export class CramIndexer implements FileIndexer {
  readonly #gatherer = new CramGatherer()
  readonly #scanner = new CramScanner({
    header: (definition, samHeader, prefix) => {
      const references = readSamHeader(samHeader)
      this.#gatherer.references = references.length
      this.#header = {
        format: 'CRAM',
        formatVersion: `${definition.major}.${definition.minor}`,
        references,
        bytes: prefix,
        end: virtualOffset(prefix.length, 0),
        definition,
      }
    },
    slice: slice => this.#gatherer.slice(slice),
  })
  #header: CramFileHeader | undefined

  /** What went by of the header. */
  get header(): CramFileHeader | undefined {
    return this.#header
  }

  /** @throws HtsvaultError UNSORTED, FILE_TOO_LARGE; and what CramScanner throws, with the place */
  push(chunk: Uint8Array): void {
    this.#scanner.push(chunk)
  }

  /** @throws HtsvaultError CRAM_NO_EOF, CRAM_TRUNCATED, and as `push` */
  finish(): IndexedFile {
    const { size, bytes } = this.#scanner.finish()
    return fileOf(this.#header!, this.#gatherer.findings(), { size, eof: bytes })
  }
}
