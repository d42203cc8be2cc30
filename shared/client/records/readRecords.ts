import { HtsvaultError } from '#shared/errors.ts'
import type { QueryRegion } from '#shared/htsget/HtsgetQuery.ts'
import type { FileHeader } from './FileHeader.ts'
import { regionFilter, type GenomicRecord } from './GenomicRecord.ts'
import { inflateBgzf } from './inflateBgzf.ts'
import { readBam } from './readBam.ts'
import { readBcf } from './readBcf.ts'
import { readCram } from './readCram.ts'
import { readVcf } from './readVcf.ts'
import type { ReferenceSource } from './ReferenceSource.ts'

export interface RecordOptions {
  /** Only records that overlap these: an htsget answer has whole blocks, with more than was asked for. */
  readonly regions?: readonly QueryRegion[] | undefined
  /** For CRAM that does not hold its bases. */
  readonly reference?: ReferenceSource | undefined
  /** Given the header, before the first record. */
  readonly onHeader?: ((header: FileHeader) => void) | undefined
}

/**
 * The records of a BAM, CRAM, VCF or BCF file as its bytes come; which it is, its first bytes tell. Memory: that of
 * readBam, readCram, readVcf or readBcf.
 * @throws HtsvaultError UNKNOWN_FORMAT; as those
 *
 * @example
 * for await (const { referenceName, start, record } of readRecords(streamFile(url, { regions }), { regions })) …
 */
export async function* readRecords(
  bytes: AsyncIterable<Uint8Array>,
  { regions, reference, onHeader = () => undefined }: RecordOptions = {},
): AsyncGenerator<GenomicRecord, void> {
  const wanted = regionFilter(regions)
  for await (const record of await recordsOf(bytes, onHeader, reference)) if (wanted(record)) yield record
}

/** The header of a file, or of the answer to `headerOnly`; not more is read than it takes. @throws as readRecords */
export async function readFileHeader(bytes: AsyncIterable<Uint8Array>): Promise<FileHeader> {
  let header: FileHeader | undefined
  const records = await recordsOf(bytes, found => (header = found), undefined, false)
  try {
    await records.next()
  } catch (error) {
    // What comes behind the header is not looked at.
    if (!header) throw error
  } finally {
    await records.return()
  }
  if (!header) throw unknownFormat()
  return header
}

async function recordsOf(
  bytes: AsyncIterable<Uint8Array>,
  onHeader: (header: FileHeader) => void,
  reference: ReferenceSource | undefined,
  needsEof = true,
): Promise<AsyncGenerator<GenomicRecord, void>> {
  const [start, all] = await peek(bytes, 4)
  if (startsWith(start, 'CRAM')) return readCram(all, onHeader, reference)
  if (startsWith(start, '##')) return readVcf(all, onHeader)
  if (start[0] !== 0x1f || start[1] !== 0x8b) throw unknownFormat(startsWith(start, 'cryp'))
  const [magic, plain] = await peek(inflateBgzf(all, { needsEof }), 4)
  if (startsWith(magic, 'BAM')) return readBam(plain, onHeader)
  if (startsWith(magic, 'BCF')) return readBcf(plain, onHeader)
  if (startsWith(magic, '#')) return readVcf(plain, onHeader)
  throw unknownFormat()
}

const latin1 = new TextDecoder('latin1')
const startsWith = (bytes: Uint8Array, text: string): boolean => latin1.decode(bytes).startsWith(text)

const unknownFormat = (encrypted = false): HtsvaultError =>
  new HtsvaultError('UNKNOWN_FORMAT', 'the answer is none of BAM, CRAM, VCF and BCF', {
    hint: encrypted
      ? 'It is Crypt4GH-encrypted: give the key that opens it.'
      : 'Is this the address of such a file?',
  })

/** The first bytes, at least `size` where there are so many, and all of them again. */
async function peek(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
): Promise<[Uint8Array, AsyncGenerator<Uint8Array, void>]> {
  const iterator = chunks[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let length = 0
  while (length < size) {
    const next = await iterator.next()
    if (next.done === true) break
    first.push(next.value.slice())
    length += next.value.length
  }
  async function* all(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* first
      yield* { [Symbol.asyncIterator]: () => iterator }
    } finally {
      await iterator.return?.()
    }
  }
  return [Uint8Array.from(first.flatMap(chunk => [...chunk.subarray(0, size)])).subarray(0, size), all()]
}
