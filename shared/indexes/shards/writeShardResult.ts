import { crc32, deflateRawSync } from 'node:zlib'
import type { RunTable } from '../binning/RunTable.ts'
import type { UnitTable } from '../blockMap/UnitTable.ts'
import { VarintWriter } from '../blockMap/VarintWriter.ts'
import {
  isOffset,
  shardHeadBytes,
  shardMagic,
  stretchFields,
  writeColumn,
  type ShardSummary,
} from './shardBytes.ts'
import type { ShardResult } from './ShardResult.ts'

/** A shard's result as bytes, for another thread or machine: about as long as the indexes of its stretch. */
export function writeShardResult(result: ShardResult): Uint8Array {
  const { findings } = result
  const body = new VarintWriter()
  const summary = new TextEncoder().encode(JSON.stringify(summaryOf(result)))
  body.varint(summary.length)
  body.bytes(summary)
  writeRuns(body, findings.runs)
  writeUnits(body, findings.units)
  body.varint(findings.crai.length)
  body.bytes(findings.crai)

  const plainLength = body.length
  const deflated = deflateRawSync(body.take(), { level: 1 })
  const bytes = new Uint8Array(shardHeadBytes + deflated.length)
  bytes.set(shardMagic)
  const view = new DataView(bytes.buffer)
  view.setUint32(8, plainLength, true)
  view.setUint32(12, crc32(deflated), true)
  bytes.set(deflated, shardHeadBytes)
  return bytes
}

function summaryOf({ start, stop, findings, lines, end, error }: ShardResult): ShardSummary {
  return {
    start: start ?? -1,
    stop,
    records: findings.records,
    ...lines,
    contigs: findings.contigs,
    furthest: findings.furthest,
    unplaced: [findings.runs.unplaced, findings.unplaced],
    ...(findings.order && { order: findings.order }),
    ...(end && { end: { size: end.size, eof: Buffer.from(end.eof).toString('hex') } }),
    ...(error && { error }),
  }
}

function writeRuns(writer: VarintWriter, table: RunTable): void {
  const { stretches, runBins, runStarts, stepWindows, stepOffsets } = table
  for (const { length } of [stretches, runBins, stepWindows]) writer.varint(length)
  for (const field of stretchFields)
    writeColumn(writer, stretches.length, i => stretches[i]![field], isOffset(field))
  for (const column of [runBins, stepWindows]) writeColumn(writer, column.length, i => column.at(i))
  for (const column of [runStarts, stepOffsets]) writeColumn(writer, column.length, i => column.at(i), true)
}

function writeUnits(writer: VarintWriter, table: UnitTable): void {
  const { runs, starts, firstRuns, extentsTo, begs, ends, gapCounts, gapBegs, gapEnds } = table
  for (const { length } of [runs, starts, begs, gapBegs]) writer.varint(length)
  for (const field of ['refId', 'beg', 'end'] as const) writeColumn(writer, runs.length, i => runs[i]![field])
  writeColumn(writer, starts.length, i => starts.get(i), true)
  for (const column of [firstRuns, extentsTo, begs, ends, gapCounts, gapBegs, gapEnds])
    writeColumn(writer, column.length, i => column.get(i))
}
