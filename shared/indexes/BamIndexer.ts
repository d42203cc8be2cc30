import type { BamHeader } from '#shared/bam/BamHeaderReader.ts'
import { BamScanner, type BamSink } from '#shared/bam/BamScanner.ts'
import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import { eofMarker } from '#shared/bgzf/bgzfBlock.ts'
import { virtualOffset, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { writeBai } from './bai/writeBai.ts'
import { BinningIndexBuilder } from './binning/BinningIndexBuilder.ts'
import { baiScheme, csiScheme } from './binning/bins.ts'
import { BlockMapBuilder } from './blockMap/BlockMapBuilder.ts'
import { writeCsi } from './csi/writeCsi.ts'
import type { FileIndexer, IndexedFile, Reference } from './FileIndexer.ts'

export interface BamIndexerOptions {
  /** The index to make; unless told, `bai`, and `csi` where a reference is too long for it. */
  readonly index?: 'bai' | 'csi' | undefined
}

/** The longest reference of a BAI, in bases. */
const longestOfBai = 2 ** 29 - 1

/** Indexes a BAM file: BAI as `samtools index` writes it, or CSI as `samtools index -c` does. */
export class BamIndexer implements FileIndexer {
  readonly #found: FoundInBam
  readonly #scanner: BamScanner
  readonly #reader: BgzfReader

  constructor({ index }: BamIndexerOptions = {}) {
    const found = new FoundInBam(index)
    const scanner = new BamScanner(found)
    this.#found = found
    this.#scanner = scanner
    this.#reader = new BgzfReader((plain, offset, size) => scanner.block(plain, offset, size))
  }

  /** @throws HtsvaultError UNSORTED, POSITION_TOO_LARGE; and what BgzfReader and BamScanner throw, with the place */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk)
  }

  /** @throws HtsvaultError BGZF_TRUNCATED, BGZF_NO_EOF, EMPTY_FILE, BAM_TRUNCATED, INDEX_TOO_LARGE */
  finish(): IndexedFile {
    this.#reader.finish()
    this.#scanner.finish()
    const { kind, binning, blockMap, references, headerBytes, headerEnd } = this.#found
    const size = this.#reader.offset
    const dataEnd = virtualOffset(size - eofMarker.length, 0)
    const index = binning!.finish(this.#scanner.end)
    return {
      format: 'BAM',
      formatVersion: '1',
      references,
      records: this.#scanner.records,
      unplacedRecords: index.unplaced!,
      index: { kind: kind!, bytes: kind === 'bai' ? writeBai(index) : writeCsi(index) },
      blockMap: blockMap.finish({
        format: 'BAM',
        headerEnd,
        dataEnd,
        fileSize: size,
        header: headerBytes,
        eof: eofMarker,
        references,
      }),
      size,
      headerEnd,
      dataEnd,
    }
  }
}

/** Takes what the scanner finds to the two indexes. */
class FoundInBam implements BamSink {
  kind: 'bai' | 'csi' | undefined
  references: readonly Reference[] = []
  headerBytes = new Uint8Array(0)
  headerEnd = virtualOffset(0, 0)
  /** Made when the header tells its scheme. */
  binning: BinningIndexBuilder | undefined
  readonly blockMap = new BlockMapBuilder()

  constructor(kind: 'bai' | 'csi' | undefined) {
    this.kind = kind
  }

  header(header: BamHeader, bytes: Uint8Array, end: VirtualOffset): void {
    this.references = header.references
    this.headerBytes = bytes.slice()
    this.headerEnd = end
    const longest = header.references.reduce((most, { length }) => Math.max(most, length), 0)
    this.kind ??= longest > longestOfBai ? 'csi' : 'bai'
    const linear = this.kind === 'bai'
    const scheme = linear ? baiScheme : csiScheme(longest)
    this.binning = new BinningIndexBuilder({ ...scheme, references: header.references.length, linear })
  }

  record(refId: number, beg: number, end: number, start: VirtualOffset, mapped: boolean): void {
    this.binning!.add(refId, beg, end, start, mapped)
    this.blockMap.add(refId, beg, end, start)
  }
}
