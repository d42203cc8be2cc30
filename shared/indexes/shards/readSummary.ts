import type { ShardSummary } from './shardBytes.ts'
import { shardCorrupt } from './shardCorrupt.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * A shard's summary, of the form that it must have; by hand, as loading zod takes longer than a small file's indexing.
 * @throws HtsvaultError SHARD_CORRUPT
 */
export function readSummary(bytes: Uint8Array): ShardSummary {
  let summary: unknown
  try {
    summary = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw shardCorrupt('its summary is not JSON')
  }
  if (!isSummary(summary)) throw shardCorrupt('its summary is another')
  return summary
}

const isSummary = (value: unknown): value is ShardSummary =>
  isFields(value) &&
  areNumbers(value, 'start', 'stop', 'records', 'lines', 'emptyLine', 'furthest') &&
  Array.isArray(value['contigs']) &&
  value['contigs'].every(isText) &&
  Array.isArray(value['unplaced']) &&
  value['unplaced'].length === 2 &&
  value['unplaced'].every(Number.isSafeInteger) &&
  absentOr(value['order'], isOrder) &&
  absentOr(value['end'], end => areNumbers(end, 'size') && isText(end['eof'])) &&
  absentOr(value['error'], isReport)

const isOrder = ({ first, last }: Fields) =>
  isFields(first) &&
  areNumbers(first, 'refId', 'start', 'record', 'offset') &&
  isFields(last) &&
  areNumbers(last, 'refId', 'start')

const isReport = ({ code, message, place, hint }: Fields) =>
  isText(code) && isText(message) && absentOr(place, () => true) && (hint === undefined || isText(hint))

const absentOr = (value: unknown, fits: (fields: Fields) => boolean) =>
  value === undefined || (isFields(value) && fits(value))

const areNumbers = (fields: Fields, ...names: readonly string[]) =>
  names.every(name => Number.isSafeInteger(fields[name]))

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

const isText = (value: unknown): value is string => typeof value === 'string'
