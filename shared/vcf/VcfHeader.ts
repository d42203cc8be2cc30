import { HtsvaultError } from '#shared/errors.ts'
import { readStructuredLine } from './structuredLine.ts'

/** A `##contig` line. */
export interface VcfContig {
  readonly name: string
  /** In bases; absent where the line does not tell. */
  readonly length?: number
  /** Of its sequence, as the line has it. */
  readonly md5?: string
  /** The number that the line itself gives the contig (`IDX=`, in a BCF header). */
  readonly idx?: number
}

export interface VcfHeader {
  /** `4.2` of `##fileformat=VCFv4.2`; absent where the first line is another. */
  readonly version: string | undefined
  /** In the header's order; of a name given twice the first counts, as in htslib. */
  readonly contigs: readonly VcfContig[]
  /** How many sample columns the `#CHROM` line names. */
  readonly samples: number
  /** The longest length that a `##contig` line declares, in bases, by tabix's own rough reading; 0 where none does. */
  readonly longestContig: number
}

/** Columns before the first sample: CHROM to FORMAT. */
const columnsBeforeSamples = 9

/**
 * Reads the text of a VCF header (VCFv4.3 §1), `##fileformat` to the `#CHROM` line, as a VCF or a BCF file holds it.
 * @throws HtsvaultError VCF_HEADER_INVALID where the `#CHROM` line is not there
 */
export function readVcfHeader(text: Uint8Array): VcfHeader {
  const contigs = new Map<string, VcfContig>()
  const lines = linesOf(text)
  let longestContig = 0
  for (const line of lines) {
    if (!line.startsWith('##contig')) continue
    longestContig = Math.max(longestContig, roughLength(line))
    const contig = line.startsWith('##contig=<') ? readContig(line) : undefined
    if (contig && !contigs.has(contig.name)) contigs.set(contig.name, contig)
  }
  const columns = lines.find(line => !line.startsWith('##'))
  if (!columns?.startsWith('#CHROM\t'))
    throw new HtsvaultError('VCF_HEADER_INVALID', 'the header does not end with a #CHROM line', {
      place: { line: lines.length },
      hint: 'Look at the header (bcftools head FILE) and put it right with bcftools reheader.',
    })
  return {
    // Spreadsheets fill the line up with tabs; htslib does not mind them, nor a blank before the version.
    version: /^##fileformat=VCF *v(\d+(?:\.\d+)*)\s*$/.exec(lines[0]!)?.[1],
    contigs: [...contigs.values()],
    samples: Math.max(0, columns.split('\t').length - columnsBeforeSamples),
    longestContig,
  }
}

const utf8 = new TextDecoder()

function linesOf(text: Uint8Array): string[] {
  // A BCF header ends with NUL, and may be padded with more.
  const end = text.indexOf(0)
  const lines = utf8.decode(end === -1 ? text : text.subarray(0, end)).split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(line => (line.endsWith('\r') ? line.slice(0, -1) : line))
}

/** htslib's `bcf_hdr_register_hrec`: a line without a name, or with a length that is no number, is passed over. */
function readContig(line: string): VcfContig | undefined {
  const values = readStructuredLine(line)
  const name = values?.get('ID')
  if (!values || name === undefined || name === '') return undefined
  const length = values.get('length')
  if (length !== undefined && !/^\s*\d/.test(length)) return undefined
  const md5 = values.get('md5') ?? values.get('M5')
  const idx = values.get('IDX')
  if (idx !== undefined && !/^\d{1,9}$/.test(idx)) return undefined
  return {
    name,
    ...(length !== undefined && { length: Number.parseInt(length, 10) }),
    ...(md5 !== undefined && { md5 }),
    ...(idx !== undefined && { idx: Number(idx) }),
  }
}

/** htslib's `adjust_max_ref_len_vcf`, which decides how deep a CSI of a VCF is. */
function roughLength(line: string): number {
  const at = line.indexOf('length', '##contig'.length)
  if (at === -1) return 0
  const digits = /^[ =]*(\d+)/.exec(line.slice(at + 'length'.length, at + 64))
  return digits ? Number(digits[1]) : 0
}
