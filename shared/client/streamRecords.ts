import type { GenomicRecord } from './records/GenomicRecord.ts'
import { readRecords, type RecordOptions } from './records/readRecords.ts'
import { streamFile, type FileOptions } from './streamFile.ts'
import type { Target, TicketQuery } from './TicketQuery.ts'

/**
 * The records that an htsget server has for a query: those that overlap its regions, in the order of the file, each once.
 * @throws HtsvaultError as streamFile and readRecords
 *
 * @example
 * const query = { format: 'CRAM', regions: [{ referenceName: 'chr1', start: 10_000, end: 20_000 }] } as const
 * for await (const read of streamRecords('https://host/reads/study/NA12878', query, { reference })) …
 */
export function streamRecords(
  target: Target,
  query: TicketQuery = {},
  { reference, onHeader, ...options }: FileOptions & Omit<RecordOptions, 'regions'> = {},
): AsyncGenerator<GenomicRecord, void> {
  return readRecords(streamFile(target, query, options), { regions: query.regions, reference, onHeader })
}
