import { HtsvaultError } from '#shared/errors.ts'
import { readVcfHeader } from '#shared/vcf/VcfHeader.ts'

/** A contig of a BCF file's dictionary (VCFv4.3 §6.2.1). */
export interface BcfContig {
  /** What the records' CHROM field holds for it. */
  readonly id: number
  readonly name: string
  /** In bases; absent where the header does not tell. */
  readonly length?: number
  /** Of its sequence, as the header has it. */
  readonly md5?: string
}

export interface BcfHeader {
  /** `2.2` or `2.1`. */
  readonly version: string
  /** By id, which need not be without gaps. */
  readonly contigs: readonly BcfContig[]
  /** How many samples the `#CHROM` line names. */
  readonly samples: number
}

/** Magic and the length of the text. */
const prefixBytes = 9
const maxTextBytes = 64 << 20

/**
 * How many bytes magic, length and text take together; 0 where `bytes` are too few to tell.
 * @throws HtsvaultError BCF_HEADER_INVALID
 */
export function bcfHeaderSize(bytes: Uint8Array): number {
  if (bytes.length < prefixBytes) return 0
  const [b, c, f, major, minor] = bytes
  if (b !== 0x42 || c !== 0x43 || f !== 0x46 || major !== 2 || (minor !== 1 && minor !== 2))
    throw invalid('the file does not begin as BCF 2.1 or 2.2 do')
  const text = bytes[5]! + bytes[6]! * 0x100 + bytes[7]! * 0x10000 + bytes[8]! * 0x1000000
  if (text > maxTextBytes) throw invalid(`the header is longer than ${maxTextBytes} bytes`)
  return prefixBytes + text
}

/**
 * Reads a BCF header: magic, length, and the text, whose `##contig` lines make the dictionary of contigs: a line's
 * `IDX=` is its id; a line without one takes the next after the highest so far, as in htslib.
 * @throws HtsvaultError BCF_HEADER_INVALID, VCF_HEADER_INVALID
 */
export function readBcfHeader(bytes: Uint8Array): BcfHeader {
  const header = readVcfHeader(bytes.subarray(prefixBytes))
  const contigs = new Map<number, BcfContig>()
  let next = 0
  for (const { name, length, md5, idx } of header.contigs) {
    const id = idx ?? next
    if (contigs.has(id)) throw invalid(`two contigs have the number IDX=${id}`)
    contigs.set(id, {
      id,
      name,
      ...(length !== undefined && { length }),
      ...(md5 !== undefined && { md5 }),
    })
    next = Math.max(next, id + 1)
  }
  const byId = [...contigs.values()].sort((a, b) => a.id - b.id)
  return { version: `2.${bytes[4]!}`, contigs: byId, samples: header.samples }
}

const invalid = (message: string) =>
  new HtsvaultError('BCF_HEADER_INVALID', message, {
    place: { virtualOffset: '0:0' },
    hint: 'Make the file again: bcftools view -Ob -o NEW.bcf FILE',
  })
