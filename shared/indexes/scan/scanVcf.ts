import type { ScanRange } from '#shared/bgzf/ScanRange.ts'
import { VcfScanner } from '#shared/vcf/VcfScanner.ts'
import { baiScheme, maxDepth } from '../binning/bins.ts'
import { explainVariants } from './explainVariants.ts'
import type { VcfFileHeader } from './FileHeader.ts'
import { RecordGatherer } from './RecordGatherer.ts'
import type { RecordScan } from './RecordScan.ts'

/** The records of variants are kept in the widest scheme there is, and written in one that they turned out to fit. */
export const widestScheme = { minShift: baiScheme.minShift, depth: maxDepth }

/** A scan of a whole VCF file, for the index `wanted`; or of a stretch. Contigs are numbered as records name them. */
export function scanVcf(wanted: 'tbi' | 'csi' | undefined, stretch?: ScanRange): RecordScan {
  let header: VcfFileHeader | undefined
  const gatherer = new RecordGatherer(widestScheme)
  const contigs = new Map<string, number>()
  const scanner = new VcfScanner(
    {
      header: ({ version = '', contigs, longestContig }, bytes, end) => {
        const references = contigs.map(({ name, length, md5 }) => ({
          name,
          ...(length !== undefined && { length }),
          ...(md5 !== undefined && { md5 }),
        }))
        header = { format: 'VCF', formatVersion: version, references, bytes, end, wanted, longestContig }
      },
      contig: name => {
        const id = contigs.get(name) ?? contigs.size
        contigs.set(name, id)
        return id
      },
      record: (contig, begin, end, start) => gatherer.add(contig, begin, end, start, true),
    },
    stretch,
  )
  return {
    get header() {
      return header
    },
    get end() {
      return scanner.end
    },
    get lines() {
      return { lines: scanner.lines, emptyLine: scanner.emptyLine }
    },
    block: (plain, offset, size) => scanner.block(plain, offset, size),
    finish: () => scanner.finish(),
    explain: error => explainVariants(error, scanner.place),
    findings: () => gatherer.findings(scanner.records, scanner.end, [...contigs.keys()]),
  }
}
