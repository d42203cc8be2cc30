import type { ErrorReport } from '#shared/errors.ts'
import type { Stretch } from '../binning/RunTable.ts'
import type { VarintReader } from '../blockMap/VarintReader.ts'
import type { VarintWriter } from '../blockMap/VarintWriter.ts'
import type { CramOrder } from '../scan/Findings.ts'

/** `HTSVSHD` and the version of the format. */
export const shardMagic = Uint8Array.from([0x48, 0x54, 0x53, 0x56, 0x53, 0x48, 0x44, 1])

/** Magic, length of the inflated body, CRC32 of the deflated one; then that. */
export const shardHeadBytes = 16

/** The longest body, inflated, in bytes: indexes of that size cannot be written either. */
export const maxShardBytes = 2 ** 31 - 1

/** What of a result is no column, as JSON: its numbers and names. */
export interface ShardSummary {
  /** -1: none. */
  readonly start: number
  readonly stop: number
  readonly records: number
  readonly lines: number
  readonly emptyLine: number
  readonly contigs: readonly string[]
  readonly furthest: number
  /** Records without a position, as the runs count them, and as CRAM does. */
  readonly unplaced: readonly [runs: number, cram: number]
  readonly order?: CramOrder
  readonly end?: { readonly size: number; readonly eof: string }
  readonly error?: ErrorReport
}

/** The columns of the stretches, in their order. */
export const stretchFields = [
  'refId',
  'firstBeg',
  'start',
  'lastBeg',
  'end',
  'endRun',
  'endStep',
  'mapped',
  'unmapped',
] as const satisfies readonly (keyof Stretch)[]

/**
 * A column of whole numbers, each less the one before. Virtual offsets are `ascending`: with a sign, those beyond
 * 64 GiB were no safe integers.
 */
export function writeColumn(
  writer: VarintWriter,
  length: number,
  get: (index: number) => number,
  ascending = false,
): void {
  let before = 0
  for (let i = 0; i < length; i++) {
    const value = get(i)
    if (ascending) writer.varint(value - before)
    else writer.signed(value - before)
    before = value
  }
}

/** Gives each number of a column of that length to `take`. */
export function readColumn(
  reader: VarintReader,
  length: number,
  take: (value: number) => void,
  ascending = false,
): void {
  let value = 0
  for (let i = 0; i < length; i++) {
    value += ascending ? reader.varint() : reader.signed()
    take(value)
  }
}

/** Whether a column of the stretches holds virtual offsets. */
export const isOffset = (field: (typeof stretchFields)[number]): boolean =>
  field === 'start' || field === 'end'
