import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import type { InflateBlock } from '#shared/bgzf/inflateAhead.ts'
import { eofMarker } from '#shared/bgzf/bgzfBlock.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { FileIndexer, IndexedFile } from './FileIndexer.ts'
import { fileOf } from './scan/fileOf.ts'
import type { RecordScan } from './scan/RecordScan.ts'

/** Indexes a file of BGZF blocks in one pass: what BAM, VCF and BCF have in common. */
export class BgzfIndexer implements FileIndexer {
  readonly #scan: RecordScan
  readonly #reader: BgzfReader

  constructor(scan: RecordScan, inflate?: InflateBlock) {
    this.#scan = scan
    this.#reader = new BgzfReader(scan.block, 0, inflate)
  }

  /** @throws HtsvaultError UNSORTED, POSITION_TOO_LARGE; and what BgzfReader and the scanner throw, with the place */
  push(chunk: Uint8Array): void {
    this.#explaining(() => this.#reader.push(chunk))
  }

  /** @throws HtsvaultError as `push`; BGZF_TRUNCATED, BGZF_NO_EOF, EMPTY_FILE, and those of `fileOf` */
  finish(): IndexedFile {
    this.#explaining(() => {
      this.#reader.finish()
      this.#scan.finish()
    })
    const end = { size: this.#reader.offset, eof: eofMarker }
    return fileOf(this.#scan.header!, this.#scan.findings(), end)
  }

  #explaining(work: () => void): void {
    try {
      work()
    } catch (error) {
      throw error instanceof HtsvaultError ? this.#scan.explain(error) : error
    }
  }
}
