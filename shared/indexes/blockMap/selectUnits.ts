import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { LeafPage } from './LeafPage.ts'
import type { RegionSet } from './RegionSet.ts'
import { borderAfter, runBytes, type UnitRun } from './UnitRun.ts'

/**
 * The units of a leaf that hold a record of the regions, in order; those that follow each other in one, of at most
 * `limit` bytes.
 */
export function selectUnits(leaf: LeafPage, regions: RegionSet, limit = Infinity): UnitRun[] {
  const found: UnitRun[] = []
  const { starts, firstRuns, extentsTo, begs, ends, gapsTo, gapBegs, gapEnds } = leaf
  let open: UnitRun | undefined
  for (let unit = 0, extent = 0; unit < firstRuns.length; unit++) {
    const from = extent
    let hit = false
    for (; extent < extentsTo[unit]!; extent++)
      hit ||= regions.overlaps(
        firstRuns[unit]! + extent - from,
        begs[extent]!,
        ends[extent]!,
        gapBegs,
        gapEnds,
        extent === 0 ? 0 : gapsTo[extent - 1]!,
        gapsTo[extent],
      )
    if (!hit) {
      if (open) found.push(open)
      open = undefined
      continue
    }
    const start = starts[unit] as VirtualOffset
    const end = starts[unit + 1] as VirtualOffset
    if (open && runBytes({ ...open, end }) <= limit) open = { ...open, end }
    else {
      if (open) found.push(open)
      open = { start, end, border: borderAfter(start, end) }
    }
  }
  if (open) found.push(open)
  return found
}
