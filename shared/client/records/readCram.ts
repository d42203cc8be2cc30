import { CramFile, type CramRecord } from '@gmod/cram'
import { HtsvaultError } from '#shared/errors.ts'
import { referencesOfSam, type FileHeader, type HeaderReference } from './FileHeader.ts'
import type { GenomicRecord } from './GenomicRecord.ts'
import type { ReferenceSource } from './ReferenceSource.ts'
import { StreamWindow } from './StreamWindow.ts'

type Container = ReturnType<CramFile['getContainerAtPosition']>
type Slice = ReturnType<Container['getSlice']>

interface MappedSliceHeader {
  readonly refBaseBlockId: number
  /** 1-based. */
  readonly refSeqStart: number
}

/** The longest stretch of a reference that is held. */
const maxBases = 1 << 28

const fileDefinitionBytes = 26

/**
 * Reads CRAM 2.1 to 3.1 as it goes by, with @gmod/cram: hands over the header, then each record. Bases that are not in
 * the file come from `reference`, and are held against the checksum of each slice. Memory: one container, and the
 * records of one slice.
 * @throws HtsvaultError NOT_CRAM, CRAM_CORRUPT, CRAM_TOO_LARGE, CRAM_NO_EOF, REFERENCE_MISSING, REFERENCE_WRONG
 */
export async function* readCram(
  bytes: AsyncIterable<Uint8Array>,
  onHeader: (header: FileHeader) => void,
  reference?: ReferenceSource,
): AsyncGenerator<GenomicRecord, void> {
  const window = new StreamWindow(bytes)
  const bases = new SliceBases(reference)
  const file = new CramFile({
    filehandle: window as unknown as NonNullable<ConstructorParameters<typeof CramFile>[0]['filehandle']>,
    seqFetch: (refId, start, end) => bases.read(refId, start - 1, end),
    checkSequenceMD5: true,
    // Slices go by once: a cache would hold them all.
    cacheSize: 1,
  })
  let position = 0
  try {
    const text = await guarded(position, async () => {
      await file.getDefinition()
      await file.getSamHeader()
      return (await file.getHeaderText()) ?? ''
    })
    bases.references = referencesOfSam(text)
    onHeader({ format: 'CRAM', text, references: bases.references })
    position = await guarded(position, () => endOfHeader(file))
    let endsWithEof = false
    while (!(await window.endsAt(position))) {
      window.forget(position)
      const container = file.getContainerAtPosition(position)
      const header = await guarded(position, () => container.getHeader())
      if (header.length < 0) throw corrupt(position)
      endsWithEof = header.refSeqId === -1 && header.refSeqStart === 0x454f46 && header.numRecords === 0
      for (const [i, landmark] of header.numRecords > 0 ? header.landmarks.entries() : []) {
        const slice = container.getSlice(landmark, (header.landmarks[i + 1] ?? header.length) - landmark)
        const records = await guarded(position, async () => {
          file.options.checkSequenceMD5 = await bases.begin(container, slice)
          const found = await slice.getAllRecords()
          if (bases.areTold) for (const record of found) tellBases(record)
          return found
        })
        for (const record of records) yield located(record, bases.references)
      }
      position += header._size + header.length
    }
    if (!endsWithEof)
      throw new HtsvaultError('CRAM_NO_EOF', 'the answer does not end with an EOF container', {
        place: { offset: position },
        hint: 'Ask again: something is missing at its end.',
      })
  } finally {
    await window.close()
  }
}

/** The bases of a read of a slice without reference: its features have each of them (CRAMv3 §10.6). */
function tellBases(record: CramRecord): void {
  if ((record.readBases ?? '') !== '' || record.isUnknownBases()) return
  const bases = new Array<string>(record.readLength).fill('N')
  for (const { pos, code, data } of record.readFeatures ?? []) {
    const told = code === 'B' ? data[0] : 'bSIi'.includes(code) ? String(data) : ''
    for (let i = 0; i < told.length && pos - 1 + i < bases.length; i++) bases[pos - 1 + i] = told[i]!
  }
  record.readBases = bases.join('').toUpperCase()
}

function located(record: CramRecord, references: readonly HeaderReference[]): GenomicRecord {
  const start = record.alignmentStart - 1
  const length = record.isSegmentUnmapped() ? 1 : Math.max(1, record.lengthOnRef ?? 1)
  return {
    format: 'CRAM',
    referenceName: references[record.sequenceId]?.name,
    start,
    end: start + length,
    record,
  }
}

/** Some writers of 2.1 declared the header's container shorter than its blocks are; others pad it. */
async function endOfHeader(file: CramFile): Promise<number> {
  const header = await file.getContainerAtPosition(fileDefinitionBytes).getHeader()
  let end = header._endPosition
  for (let i = 0; i < header.numBlocks; i++) end = (await file.readBlock(end))._endPosition
  return Math.max(end, header._endPosition + header.length)
}

/** The reference bases of the slice that is being read: its own, the source's, or none where it needs none. */
class SliceBases {
  references: readonly HeaderReference[] = []
  readonly #source: ReferenceSource | undefined
  #embedded: { start: number; bases: string } | undefined
  #isNeeded = true
  /** The stretch that was read last: its checksum is looked at first, then its bases are used. */
  #last: { refId: number; start: number; end: number; bases: string } | undefined

  constructor(source: ReferenceSource | undefined) {
    this.#source = source
  }

  /** Whether the slice has no reference at all: its reads say all of their bases. */
  get areTold(): boolean {
    return !this.#isNeeded && !this.#embedded
  }

  /** Answers whether the bases that `read` gives are to be held against the slice's checksum. */
  async begin(container: Container, slice: Slice): Promise<boolean> {
    const compression = await container.getCompressionHeaderBlock()
    // Of a mapped slice; the library's types do not tell it from another.
    const header = (await slice.getHeader()).parsedContent as Partial<MappedSliceHeader>
    this.#embedded = undefined
    // Absent means that it is (CRAMv3 §8.4); the library's own `referenceRequired` takes it for not.
    this.#isNeeded = compression?.parsedContent.preservation.RR !== false
    if (header.refBaseBlockId !== undefined && header.refBaseBlockId >= 0) {
      const block = await slice.getBlockByContentId(header.refBaseBlockId)
      if (block)
        this.#embedded = {
          start: header.refSeqStart! - 1,
          bases: new TextDecoder('latin1').decode(block.content),
        }
    }
    return this.#isNeeded && !this.#embedded
  }

  /** Exactly `end - start` bases, N where the reference has none; no base where the slice needs none. */
  async read(refId: number, start: number, end: number): Promise<string> {
    if (this.#embedded) return padded(this.#embedded.bases, start - this.#embedded.start, end - start)
    if (!this.#isNeeded) return ''
    if (end - start > maxBases)
      throw new HtsvaultError('CRAM_TOO_LARGE', `the reads of a slice span more than ${maxBases} bases`)
    if (this.#last?.refId !== refId || start < this.#last.start || end > this.#last.end) {
      const reference = this.references[refId]
      const bases = reference && (await this.#source?.read(reference, Math.max(0, start), end))
      if (bases === undefined)
        throw new HtsvaultError(
          'REFERENCE_MISSING',
          this.#source
            ? 'the bases of this CRAM are told by a reference that the one given does not have'
            : 'the bases of this CRAM are told by a reference, and none was given',
          { hint: 'Give the FASTA, with its .fai, that the reads were aligned to, or a refget server.' },
        )
      this.#last = { refId, start, end, bases: padded(bases.toUpperCase(), Math.min(0, start), end - start) }
    }
    return padded(this.#last.bases, start - this.#last.start, end - start)
  }
}

/** `length` bases from `at` on, N where there are none. */
function padded(bases: string, at: number, length: number): string {
  const before = Math.min(length, Math.max(0, -at))
  return ('N'.repeat(before) + bases.slice(Math.max(0, at), Math.max(0, at + length))).padEnd(length, 'N')
}

/** What @gmod/cram throws, in our words, with the container's place. */
async function guarded<Result>(offset: number, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof HtsvaultError) throw error
    if (error instanceof Error && error.message.includes('reference mismatch'))
      throw new HtsvaultError(
        'REFERENCE_WRONG',
        'the reference given is not the one that this CRAM was made with',
        {
          place: { offset },
          hint: 'The M5 of its @SQ lines tell which it is: htsvault stream --header-only.',
          cause: error,
        },
      )
    if (error instanceof Error && error.message.includes('does not match magic'))
      throw new HtsvaultError('NOT_CRAM', 'the answer is not CRAM', { place: { offset }, cause: error })
    throw corrupt(offset, error)
  }
}

const corrupt = (offset: number, cause?: unknown): HtsvaultError =>
  new HtsvaultError('CRAM_CORRUPT', 'a container cannot be read', {
    place: { offset },
    hint: 'Ask again; should it stay so, the file on the server is damaged, or of a kind that @gmod/cram does not read.',
    cause,
  })
