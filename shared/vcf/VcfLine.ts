import { HtsvaultError } from '#shared/errors.ts'

/** What `VcfLine.read` gives for a line without anything on it. */
export const emptyLine = -1

/** Highest position that is read, 1-based: what a CSI of nine levels over 16 kb windows reaches. */
const maxPosition = 2 ** 41

const [tab, newline, carriageReturn, hash, semicolon] = [9, 10, 13, 35, 59]
const [zero, nine] = [48, 57]

/**
 * The columns of a VCF record that an index needs, read from bytes: where it lies on which reference.
 *
 * Its extent is that of htslib's tabix up to 1.21 (`tbx_parse1`), which `bcftools index` shares: 0-based from POS − 1,
 * to the length of REF, or to INFO/END where that lies behind the begin. A symbolic allele's SVLEN counts from
 * htslib 1.22 on, and not here: the index stays equal to that of the released tools that most sites run.
 * POS 0, a telomere, is read as position 0.
 */
export class VcfLine {
  /** Id of the reference, as the constructor's function gave it. */
  reference = -1
  /** First base, 0-based. */
  begin = 0
  /** After the last base, 0-based. */
  end = 0
  #chrom: Uint8Array = Uint8Array.of(newline)
  readonly #referenceOf: (name: string) => number

  constructor(referenceOf: (name: string) => number) {
    this.#referenceOf = referenceOf
  }

  /** CHROM and its tab, of the line before. A newline, no CHROM at all, before the first. */
  get chrom(): Uint8Array {
    return this.#chrom
  }

  /**
   * Reads the line at `at`, which must have its newline or eight tabs in `bytes`: where INFO ends, or `emptyLine`.
   * @throws HtsvaultError VCF_RECORD_INVALID; and what the constructor's function throws. Without a place.
   */
  read(bytes: Uint8Array, at: number): number {
    const first = bytes[at]!
    if (first === newline || (first === carriageReturn && bytes[at + 1] === newline)) return emptyLine
    if (first === hash) throw invalid('a header line stands among the records')

    const chrom = this.#chrom
    let p = at
    let i = 0
    while (i < chrom.length && bytes[p] === chrom[i]) {
      p++
      i++
    }
    if (i < chrom.length) p = this.#changeReference(bytes, at)

    const digits = p
    let position = 0
    let c = bytes[p]!
    while (c >= zero && c <= nine) {
      position = position * 10 + (c - zero)
      c = bytes[++p]!
    }
    if (c !== tab || p === digits || (bytes[digits] === zero && p > digits + 1))
      throw invalid('POS is not a number')
    if (position > maxPosition) throw invalid(`POS is beyond ${maxPosition}`)

    p = nextTab(bytes, p + 1)
    const ref = p + 1
    p = nextTab(bytes, ref)
    const refLength = p - ref
    p = nextTab(bytes, p + 1)
    p = nextTab(bytes, p + 1)
    p = nextTab(bytes, p + 1)

    this.begin = position === 0 ? 0 : position - 1
    // POS 0 begins before the first base, and its REF reaches one base less far.
    this.end = Math.max(this.begin + (refLength || 1), 1)
    return this.#info(bytes, p + 1)
  }

  /** INFO from `at`: takes END, and gives where the column ends. */
  #info(bytes: Uint8Array, at: number): number {
    let p = at
    for (;;) {
      if (bytes[p] === 69 && bytes[p + 1] === 78 && bytes[p + 2] === 68 && bytes[p + 3] === 61) {
        p = this.#takeEnd(bytes, p + 4)
        while (bytes[p]! > newline || (bytes[p] !== tab && bytes[p] !== newline)) p++
        return p
      }
      let c = bytes[p]!
      while (c !== semicolon && c !== tab && c !== newline) c = bytes[++p]!
      if (c !== semicolon) return p
      p++
    }
  }

  #takeEnd(bytes: Uint8Array, at: number): number {
    let p = at
    let value = 0
    let c = bytes[p]!
    while (c >= zero && c <= nine) {
      value = value * 10 + (c - zero)
      c = bytes[++p]!
    }
    if (value > this.begin) {
      if (value > maxPosition) throw invalid(`INFO/END is beyond ${maxPosition}`)
      this.end = value
    }
    return p
  }

  #changeReference(bytes: Uint8Array, at: number): number {
    const end = nextTab(bytes, at)
    if (end === at) throw invalid('CHROM is empty')
    const chrom = bytes.slice(at, end + 1)
    this.reference = this.#referenceOf(readName(chrom.subarray(0, -1)))
    this.#chrom = chrom
    return end + 1
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readName(bytes: Uint8Array): string {
  if (bytes.includes(0)) throw invalid('CHROM holds a NUL byte')
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw invalid('CHROM is not UTF-8 text', cause)
  }
}

/** The tab at or after `at`. */
function nextTab(bytes: Uint8Array, at: number): number {
  let p = at
  let c = bytes[p]!
  while (c !== tab) {
    if (c === newline) throw invalid('a record has fewer than 8 columns')
    c = bytes[++p]!
  }
  return p
}

const invalid = (message: string, cause?: unknown) =>
  new HtsvaultError('VCF_RECORD_INVALID', message, {
    hint: 'Let bcftools say what is wrong with it and write it again: bcftools view -Oz -o NEW.vcf.gz FILE.vcf.gz',
    ...(cause !== undefined && { cause }),
  })
