import { BcfScanner } from '#shared/bcf/BcfScanner.ts'
import type { ScanRange } from '#shared/bgzf/ScanRange.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { explainVariants } from './explainVariants.ts'
import type { BcfFileHeader } from './FileHeader.ts'
import { RecordGatherer } from './RecordGatherer.ts'
import type { RecordScan } from './RecordScan.ts'
import { widestScheme } from './scanVcf.ts'
import { noText } from './TextPlace.ts'

/** What a stretch of a BCF file cannot be read without: the numbers of the contigs in its dictionary, the samples. */
export interface BcfFacts {
  readonly format: 'BCF'
  readonly contigs: readonly number[]
  /** How many: a record that says otherwise is none, when one is searched for. */
  readonly samples: number
}

/** A scan of a whole BCF file, or of a stretch. Contigs have the numbers of the file's dictionary. */
export function scanBcf(stretch?: ScanRange & { readonly facts: BcfFacts }): RecordScan {
  let header: BcfFileHeader | undefined
  const gatherer = new RecordGatherer(widestScheme)
  let known = new Set(stretch?.facts.contigs)
  const scanner = new BcfScanner(
    {
      header: ({ version, contigs, samples }, bytes, end) => {
        const ids = contigs.map(({ id }) => id)
        known = new Set(ids)
        const references = contigs.map(({ name, length, md5 }) => ({
          name,
          ...(length !== undefined && { length }),
          ...(md5 !== undefined && { md5 }),
        }))
        header = { format: 'BCF', formatVersion: version, references, bytes, end, contigs: ids, samples }
      },
      contig: id => {
        if (!known.has(id)) throw unknownContig(id)
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
    lines: noText,
    block: (plain, offset, size) => scanner.block(plain, offset, size),
    finish: () => scanner.finish(),
    explain: error => explainVariants(error, scanner.place),
    findings: () => gatherer.findings(scanner.records, scanner.end),
  }
}

const unknownContig = (id: number) =>
  new HtsvaultError('BCF_RECORD_INVALID', `a record names contig ${id}, which the header does not have`, {
    hint: 'Make the file again: bcftools view -Ob -o NEW.bcf FILE',
  })
