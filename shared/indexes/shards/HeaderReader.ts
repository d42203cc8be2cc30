import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { CramIndexer } from '../CramIndexer.ts'
import type { Format, IndexKind } from '../FileIndexer.ts'
import { fittingKind } from '../indexKinds.ts'
import { ByFormat } from '../scan/ByFormat.ts'
import type { FileHeader } from '../scan/FileHeader.ts'
import type { RecordScan } from '../scan/RecordScan.ts'
import { scanBam } from '../scan/scanBam.ts'
import { scanBcf } from '../scan/scanBcf.ts'
import { scanVcf } from '../scan/scanVcf.ts'

/** Bytes that are looked at at once: what lies behind the header is read in vain. */
const pieceBytes = 65536

interface HeaderScan {
  readonly header: FileHeader | undefined
  push(chunk: Uint8Array): void
  /** Says that the file ends. */
  finish(): void
}

/** Reads the header of a file of whatever format, for the index `wanted`, as its first bytes go by. */
export class HeaderReader {
  readonly #byFormat: ByFormat<HeaderScan>

  constructor(wanted?: IndexKind) {
    this.#byFormat = new ByFormat(format => headerScan(format, wanted))
  }

  /** The header, once it is all there. @throws HtsvaultError what one pass throws up to there */
  push(chunk: Uint8Array): FileHeader | undefined {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      this.#byFormat.push(chunk.subarray(at, at + pieceBytes))
      const header = this.#byFormat.reader?.header
      if (header) return header
    }
    return undefined
  }

  /** The header of a file that ends here. @throws HtsvaultError what one pass throws up to there */
  finish(): FileHeader {
    const scan = this.#byFormat.finish()
    if (!scan.header) scan.finish()
    return scan.header!
  }
}

function headerScan(format: Format, wanted: IndexKind | undefined): HeaderScan {
  switch (format) {
    case 'BAM':
      return inBlocks(scanBam(fittingKind(format, wanted)))
    case 'VCF':
      return inBlocks(scanVcf(fittingKind(format, wanted)))
    case 'BCF':
      fittingKind(format, wanted)
      return inBlocks(scanBcf())
    case 'CRAM': {
      fittingKind(format, wanted)
      const indexer = new CramIndexer()
      return upToHeader(
        () => indexer.header,
        chunk => indexer.push(chunk),
        () => void indexer.finish(),
      )
    }
  }
}

function inBlocks(scan: RecordScan): HeaderScan {
  const reader = new BgzfReader((plain, offset, size) => {
    scan.block(plain, offset, size)
    if (scan.header) reader.stop()
  })
  const explaining = (work: () => void) => {
    try {
      work()
    } catch (error) {
      throw error instanceof HtsvaultError ? scan.explain(error) : error
    }
  }
  return upToHeader(
    () => scan.header,
    chunk => explaining(() => reader.push(chunk)),
    () =>
      explaining(() => {
        reader.finish()
        scan.finish()
      }),
  )
}

/** What is wrong behind the header is found by the shards. */
function upToHeader(
  headerOf: () => FileHeader | undefined,
  push: (chunk: Uint8Array) => void,
  finish: () => void,
): HeaderScan {
  const guarded = (work: () => void) => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof HtsvaultError) || !headerOf()) throw error
    }
  }
  return {
    get header() {
      return headerOf()
    },
    push: chunk => guarded(() => push(chunk)),
    finish: () => guarded(finish),
  }
}
