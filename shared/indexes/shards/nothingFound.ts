import { virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { RunTable } from '../binning/RunTable.ts'
import { UnitTable } from '../blockMap/UnitTable.ts'
import type { Findings } from '../scan/Findings.ts'
import { noText } from '../scan/TextPlace.ts'
import type { ShardResult } from './ShardResult.ts'

const findings: Findings = {
  records: 0,
  runs: new RunTable(),
  units: new UnitTable(),
  contigs: [],
  furthest: 0,
  crai: new Uint8Array(0),
  unplaced: 0,
}

/** The result of a shard in which no record was found to begin. */
export const nothingFound: ShardResult = {
  start: undefined,
  stop: virtualOffset(0, 0),
  findings,
  lines: noText,
}
