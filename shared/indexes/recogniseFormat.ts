import { inflateRawSync, constants } from 'node:zlib'
import { HtsvaultError } from '#shared/errors.ts'
import type { Format } from './FileIndexer.ts'

/** How many of a file's first bytes are enough to tell its format: a BGZF block is never longer. */
export const recogniseBytes = 65536

const latin1 = new TextDecoder('latin1')
const startsWith = (bytes: Uint8Array, text: string) =>
  bytes.length >= text.length && latin1.decode(bytes.subarray(0, text.length)) === text

/**
 * Tells a file's format by its content, never by its name.
 *
 * `prefix` holds its first `recogniseBytes` bytes, or all of a shorter file.
 * @throws HtsvaultError EMPTY_FILE, PLAIN_VCF, PLAIN_SAM, NOT_BGZF, CRYPT4GH_UPLOAD, UNKNOWN_FORMAT: what it is
 * instead, and the command that makes the right file
 */
export function recogniseFormat(prefix: Uint8Array): Format {
  if (prefix.length === 0)
    throw new HtsvaultError('EMPTY_FILE', 'the file is empty', {
      hint: 'Upload it again: the copy may have been cut off.',
    })
  if (startsWith(prefix, 'CRAM')) return 'CRAM'
  if (isCrypt4gh(prefix))
    throw new HtsvaultError('CRYPT4GH_UPLOAD', 'the file is Crypt4GH-encrypted already', {
      hint: 'Decrypt it first: htsvault c4gh decrypt -s SECRET FILE.c4gh',
    })
  if (startsWith(prefix, '##fileformat=VCF'))
    throw new HtsvaultError('PLAIN_VCF', 'the file is uncompressed VCF, which cannot be read by region', {
      hint: 'bgzip FILE.vcf (or: bcftools sort -Oz -o FILE.vcf.gz FILE.vcf), then upload FILE.vcf.gz.',
    })
  if (isSam(prefix)) throw plainSam()
  if (prefix[0] === 0x1f && prefix[1] === 0x8b) return recogniseCompressed(prefix)
  throw unknownFormat()
}

function recogniseCompressed(prefix: Uint8Array): Format {
  const plain = inflatePrefix(prefix)
  const found = magics.find(([magic]) => startsWith(plain, magic))
  if (found === undefined) throw isSam(plain) ? plainSam() : unknownFormat()
  if (isBgzf(prefix)) return found[1]
  const file = `FILE${found[2]}`
  throw new HtsvaultError(
    'NOT_BGZF',
    `the file is ${found[1]} compressed with plain gzip, which cannot be read by region`,
    {
      hint: `gunzip -c ${file} | bgzip > NEW${found[2]}, then upload NEW${found[2]}.`,
    },
  )
}

const magics: readonly (readonly [magic: string, format: Format, ending: string])[] = [
  ['BAM\u0001', 'BAM', '.bam'],
  ['BCF\u0002', 'BCF', '.bcf'],
  ['##fileformat=VCF', 'VCF', '.vcf.gz'],
]

/** Whether a file begins as Crypt4GH ones do. */
export const isCrypt4gh = (prefix: Uint8Array): boolean => startsWith(prefix, 'crypt4gh')

const isSam = (bytes: Uint8Array) => /^@(HD|SQ|RG|PG|CO)\t/.test(latin1.decode(bytes.subarray(0, 4)))

const plainSam = () =>
  new HtsvaultError('PLAIN_SAM', 'the file is SAM text, which cannot be read by region', {
    hint: 'samtools sort -o FILE.bam FILE.sam, then upload FILE.bam.',
  })

const unknownFormat = () =>
  new HtsvaultError('UNKNOWN_FORMAT', 'the file is none of BAM, CRAM, bgzipped VCF and BCF', {
    hint: 'Look at its first bytes (htsfile FILE); the vault takes these four formats.',
  })

/** Whether the gzip member's extra field has the BC subfield of two bytes (SAMv1 §4.1). */
function isBgzf(bytes: Uint8Array): boolean {
  if (bytes.length < 18 || (bytes[3]! & 4) === 0) return false
  const end = Math.min(12 + bytes[10]! + bytes[11]! * 256, bytes.length)
  for (let at = 12; at + 4 <= end; at += 4 + bytes[at + 2]! + bytes[at + 3]! * 256)
    if (bytes[at] === 0x42 && bytes[at + 1] === 0x43 && bytes[at + 2] === 2 && bytes[at + 3] === 0)
      return true
  return false
}

/** What the first gzip member inflates to as far as it is there; empty where it is broken. */
function inflatePrefix(bytes: Uint8Array): Uint8Array {
  const start = gzipHeaderLength(bytes)
  try {
    return inflateRawSync(bytes.subarray(start), {
      finishFlush: constants.Z_SYNC_FLUSH,
      // A gzip bomb is not held: what is over the limit is an error, and an error is "not recognised".
      maxOutputLength: 1 << 26,
    })
  } catch {
    return new Uint8Array(0)
  }
}

/** RFC 1952 §2.3: the optional fields before the deflate stream. */
function gzipHeaderLength(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0
  let at = 10
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256
  for (const flag of [8, 16])
    if (flags & flag) {
      const end = bytes.indexOf(0, at)
      at = end === -1 ? bytes.length : end + 1
    }
  return flags & 2 ? at + 2 : at
}
