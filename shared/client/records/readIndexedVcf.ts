import { TabixIndexedFile } from '@gmod/tabix'
import { eofMarker } from '#shared/bgzf/blockHeader.ts'
import { memorySource, type ByteSource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { QueryRegion } from '#shared/htsget/HtsgetQuery.ts'
import { readVcfHeader } from '#shared/vcf/VcfHeader.ts'
import { VcfLine } from '#shared/vcf/VcfLine.ts'
import { regionFilter, type GenomicRecord } from './GenomicRecord.ts'
import type { RecordOptions } from './readRecords.ts'

/** A whole index, as it stands beside its file. */
export type VariantIndex = { readonly tbi: Uint8Array } | { readonly csi: Uint8Array }

type Filehandle = NonNullable<ConstructorParameters<typeof TabixIndexedFile>[0]['filehandle']>

/**
 * The records of a bgzipped VCF that is in no vault, by its own index, with @gmod/tabix: those that overlap the regions,
 * in the order of the file, each once, as `streamRecords` gives them. Memory: the index, and the lines of one region.
 * The library does not look at the checksums of BGZF blocks; `readRecords` does.
 * @throws HtsvaultError INDEX_UNUSABLE, BGZF_NO_EOF, VCF_HEADER_INVALID, VCF_RECORD_INVALID; what the source throws
 *
 * @example
 * for await (const { line } of readIndexedVcf(source, { tbi }, [{ referenceName: 'chr1', start: 0, end: 1000 }])) …
 */
export async function* readIndexedVcf(
  file: ByteSource,
  index: VariantIndex,
  regions: readonly QueryRegion[],
  { onHeader }: Pick<RecordOptions, 'onHeader'> = {},
): AsyncGenerator<GenomicRecord, void> {
  await checkEnd(file)
  const reader = new TabixIndexedFile({
    filehandle: handleOf(file),
    ...('tbi' in index
      ? { tbiFilehandle: handleOf(memorySource(index.tbi)) }
      : { csiFilehandle: handleOf(memorySource(index.csi)) }),
  })
  const encoder = new TextEncoder()
  const text = await guarded(() => reader.getHeader())
  onHeader?.({ format: 'VCF', text, references: readVcfHeader(encoder.encode(text)).contigs })
  const order = await guarded(() => reader.getReferenceSequenceNames())
  const extent = new VcfLine(() => 0)
  const done: QueryRegion[] = []
  for (const region of inOrder(regions, order)) {
    const { referenceName, start, end } = region
    const lines: string[] = []
    await guarded(() => reader.getLines(referenceName, start, end, line => void lines.push(line)))
    const [wanted, seen] = [regionFilter([region]), regionFilter(done)]
    for (const line of lines) {
      extent.read(encoder.encode(`${line}\n`), 0)
      const record = { format: 'VCF', referenceName, start: extent.begin, end: extent.end, line } as const
      if (wanted(record) && !seen(record)) yield record
    }
    done.push(region)
  }
}

/** Of a file that is cut off the library would give what is left, without a word. */
async function checkEnd(file: ByteSource): Promise<void> {
  const end = await file.read(Math.max(0, file.size - eofMarker.length), file.size)
  if (end.length === eofMarker.length && end.every((byte, i) => byte === eofMarker[i])) return
  throw new HtsvaultError('BGZF_NO_EOF', 'the file does not end with the BGZF end-of-file marker', {
    place: { offset: file.size },
    hint: 'It is cut off, or not bgzipped: fetch it again, or compress it with bgzip.',
  })
}

/** As the file has them; those on references without records are left out. */
const inOrder = (regions: readonly QueryRegion[], names: readonly string[]): QueryRegion[] =>
  names.flatMap(name =>
    regions
      .filter(({ referenceName }) => referenceName === name)
      .sort((a, b) => (a.start ?? 0) - (b.start ?? 0)),
  )

/** Past the end there is nothing, which is no fault: a reader asks for the most that a block may have. */
function handleOf(source: ByteSource): Filehandle {
  const read = async (length: number, position: number) =>
    source.read(Math.min(position, source.size), Math.min(position + length, source.size))
  const handle = {
    read,
    readFile: () => read(source.size, 0),
    stat: async () => ({ size: source.size }),
    close: async () => undefined,
  }
  // Of its many forms of readFile, the one without options is all that is called.
  return handle as unknown as Filehandle
}

/** What @gmod/tabix throws, in our words. */
async function guarded<Result>(act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (cause) {
    if (cause instanceof HtsvaultError) throw cause
    throw new HtsvaultError('INDEX_UNUSABLE', 'the file cannot be read by the index given with it', {
      hint: 'Do they belong together, and is it a bgzipped VCF? Make the index again: htsvault index FILE.',
      cause,
    })
  }
}
