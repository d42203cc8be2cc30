import { crc32 } from 'node:zlib'
import { blockOf, withinOf, type VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import type { Layout } from './layout.ts'
import { unitTag } from './LeafPage.ts'
import type { WrittenPage } from './Page.ts'
import type { UnitTable } from './UnitTable.ts'
import { VarintWriter } from './VarintWriter.ts'

/** Writes a file's leaves, in order; `dataEnd` is where its last unit ends. */
export function* writeLeaves(
  table: UnitTable,
  dataEnd: VirtualOffset,
  layout: Layout,
): Generator<WrittenPage> {
  const writer = new VarintWriter()
  const body = new VarintWriter()
  const startOf = (unit: number) => (unit < table.length ? table.starts.get(unit) : dataEnd) as VirtualOffset
  let unit = 0
  let extent = 0
  let gap = 0
  while (unit < table.length) {
    const from = unit
    const firstExtent = extent
    const firstRun = table.firstRuns.get(from)
    let run = firstRun
    let firstEnd = 0
    let lastEnd = 0
    let block = 0
    let lastBeg = 0
    do {
      const start = startOf(unit)
      const extentsTo = table.extentsTo.get(unit)
      const continues = table.firstRuns.get(unit) === run
      let gaps = 0
      for (let i = extent; i < extentsTo; i++) gaps += table.gapCounts.get(i)
      body.varint(
        (withinOf(start) > 0 ? unitTag.within : 0) +
          (continues ? 0 : unitTag.nextRun) +
          (gaps > 0 ? unitTag.gaps : 0) +
          (extentsTo - extent - 1) * unitTag.extents,
      )
      body.varint(blockOf(start) - block)
      if (withinOf(start) > 0) body.varint(withinOf(start))
      block = blockOf(start)
      for (let first = true; extent < extentsTo; extent++, first = false) {
        if (!first || !continues) {
          run++
          lastBeg = lastEnd = 0
        }
        const beg = table.begs.get(extent)
        const end = table.ends.get(extent)
        body.varint(beg - lastBeg)
        body.varint(end - beg - 1)
        if (gaps > 0) {
          body.varint(table.gapCounts.get(extent))
          let at = beg
          for (let left = table.gapCounts.get(extent); left > 0; left--, gap++) {
            body.varint(table.gapBegs.get(gap) - at)
            at = table.gapEnds.get(gap)
            body.varint(at - table.gapBegs.get(gap))
          }
        }
        lastBeg = beg
        lastEnd = Math.max(lastEnd, end)
        if (run === firstRun) firstEnd = lastEnd
      }
      unit++
    } while (unit < table.length && unit - from < layout.leafUnits && body.length < layout.leafBytes)

    writer.varint(unit - from)
    writer.varint(firstRun)
    writer.bytes(body.take())
    const bytes = writer.take()
    const start = startOf(from)
    yield {
      bytes,
      length: bytes.length,
      crc32: crc32(bytes),
      start,
      border: withinOf(start) === 0 ? blockOf(start) : blockOf(startOf(from + 1)),
      firstRun,
      lastRun: run,
      firstBeg: table.begs.get(firstExtent),
      firstEnd,
      lastEnd,
    }
  }
}
