import { crc32, inflateRawSync } from 'node:zlib'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { RunTable, type Stretch } from '../binning/RunTable.ts'
import { UnitTable } from '../blockMap/UnitTable.ts'
import { VarintReader } from '../blockMap/VarintReader.ts'
import { readSummary } from './readSummary.ts'
import {
  isOffset,
  maxShardBytes,
  readColumn,
  shardHeadBytes,
  shardMagic,
  stretchFields,
} from './shardBytes.ts'
import { shardCorrupt } from './shardCorrupt.ts'
import type { ShardResult } from './ShardResult.ts'

/** What `writeShardResult` wrote. @throws HtsvaultError SHARD_CORRUPT, also where another version wrote it */
export function readShardResult(bytes: Uint8Array): ShardResult {
  const reader = new VarintReader(bodyOf(bytes), shardCorrupt)
  const summary = readSummary(reader.bytes(reader.varint()))
  const { start, stop, records, lines, emptyLine, contigs, furthest, unplaced, order, end, error } = summary
  const runs = readRuns(reader, unplaced[0])
  const units = readUnits(reader)
  const crai = reader.bytes(reader.varint())
  reader.end()
  return {
    start: start < 0 ? undefined : (start as VirtualOffset),
    stop: stop as VirtualOffset,
    findings: {
      records,
      runs,
      units,
      contigs,
      furthest,
      crai,
      unplaced: unplaced[1],
      order,
    },
    lines: { lines, emptyLine },
    ...(end && { end: { size: end.size, eof: Uint8Array.from(Buffer.from(end.eof, 'hex')) } }),
    ...(error !== undefined && { error }),
  }
}

function bodyOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length < shardHeadBytes) throw shardCorrupt('it is cut off')
  if (shardMagic.some((byte, i) => bytes[i] !== byte)) throw shardCorrupt('it does not begin as one')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(8, true)
  const deflated = bytes.subarray(shardHeadBytes)
  if (crc32(deflated) !== view.getUint32(12, true)) throw shardCorrupt('its checksum is another')
  if (length > maxShardBytes) throw shardCorrupt('it is too long')
  let plain: Uint8Array
  try {
    plain = inflateRawSync(deflated, { maxOutputLength: Math.max(length, 1) })
  } catch {
    throw shardCorrupt('it does not inflate')
  }
  if (plain.length !== length) throw shardCorrupt('it has another length')
  return plain
}

/** The next column, of so many numbers. */
function column(reader: VarintReader, length: number, ascending = false): number[] {
  const values: number[] = []
  readColumn(reader, length, value => values.push(value), ascending)
  return values
}

function readRuns(reader: VarintReader, unplaced: number): RunTable {
  const table = new RunTable()
  const [stretchCount, runs, steps] = [reader.count(stretchFields.length), reader.count(2), reader.count(2)]
  const fields = stretchFields.map(field => column(reader, stretchCount, isOffset(field)))
  for (let i = 0; i < stretchCount; i++) {
    const stretch = Object.fromEntries(
      stretchFields.map((field, k) => [field, fields[k]![i]!]),
    ) as unknown as Stretch
    if (stretch.endRun > runs || stretch.endStep > steps)
      throw shardCorrupt('a stretch reaches past its runs')
    Object.assign(table.open(stretch.refId, stretch.firstBeg, stretch.start), stretch)
  }
  readColumn(reader, runs, value => table.runBins.push(value))
  readColumn(reader, steps, value => table.stepWindows.push(value))
  readColumn(reader, runs, value => table.runStarts.push(value), true)
  readColumn(reader, steps, value => table.stepOffsets.push(value), true)
  table.unplaced = unplaced
  return table
}

function readUnits(reader: VarintReader): UnitTable {
  const table = new UnitTable()
  const [runs, units, extents, gaps] = [reader.count(3), reader.count(3), reader.count(3), reader.count(2)]
  const [refIds, begs, ends] = [column(reader, runs), column(reader, runs), column(reader, runs)]
  for (let i = 0; i < runs; i++) table.runs.push({ refId: refIds[i]!, beg: begs[i]!, end: ends[i]! })
  const { starts, firstRuns, extentsTo, gapCounts, gapBegs, gapEnds } = table
  readColumn(reader, units, value => starts.push(value), true)
  for (const each of [firstRuns, extentsTo]) readColumn(reader, units, value => each.push(value))
  for (const each of [table.begs, table.ends, gapCounts])
    readColumn(reader, extents, value => each.push(value))
  for (const each of [gapBegs, gapEnds]) readColumn(reader, gaps, value => each.push(value))
  if (units > 0 && extentsTo.get(units - 1) !== extents) throw shardCorrupt('units and extents do not agree')
  return table
}
