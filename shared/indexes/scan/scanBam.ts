import { BamScanner } from '#shared/bam/BamScanner.ts'
import type { ScanRange } from '#shared/bgzf/ScanRange.ts'
import { baiScheme, csiScheme } from '../binning/bins.ts'
import type { BamFileHeader } from './FileHeader.ts'
import { RecordGatherer } from './RecordGatherer.ts'
import type { RecordScan } from './RecordScan.ts'
import { noText } from './TextPlace.ts'

/** The longest reference of a BAI, in bases. */
const longestOfBai = 2 ** 29 - 1

/** What a stretch of a BAM file cannot be read without: how many references there are, and how deep the index is. */
export interface BamFacts {
  readonly format: 'BAM'
  readonly references: number
  readonly depth: number
}

/** A scan of a whole BAM file, for the index `wanted`; or of a stretch. */
export function scanBam(
  wanted: 'bai' | 'csi' | undefined,
  stretch?: ScanRange & { readonly facts: BamFacts },
): RecordScan {
  let header: BamFileHeader | undefined
  let gatherer = new RecordGatherer(stretch ? { ...baiScheme, depth: stretch.facts.depth } : baiScheme)
  const scanner = new BamScanner(
    {
      header: ({ references }, bytes, end) => {
        let longest = 0
        for (const { length } of references) if (length > longest) longest = length
        const kind = wanted ?? (longest > longestOfBai ? 'csi' : 'bai')
        const scheme = kind === 'bai' ? baiScheme : csiScheme(longest)
        header = { format: 'BAM', formatVersion: '1', references, bytes: bytes.slice(), end, kind, scheme }
        gatherer = new RecordGatherer(scheme)
      },
      record: (refId, beg, end, start, mapped) => gatherer.add(refId, beg, end, start, mapped),
    },
    stretch && { ...stretch, references: stretch.facts.references },
  )
  return {
    get header() {
      return header
    },
    get end() {
      return scanner.end
    },
    lines: noText,
    block: (plain, offset, size) => scanner.block(plain, offset, size),
    finish: () => scanner.finish(),
    explain: error => error,
    findings: () => gatherer.findings(scanner.records, scanner.end),
  }
}
