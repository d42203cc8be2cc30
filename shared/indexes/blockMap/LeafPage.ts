import { virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { corrupt } from './corrupt.ts'
import type { Stretch } from './Page.ts'
import { VarintReader } from './VarintReader.ts'

/** Tag of a unit: it begins within a block; it begins with the run after the one before; it has gaps. */
export const unitTag = { within: 1, nextRun: 2, gaps: 4, extents: 8 } as const

/** The largest position that a map holds, in bases. */
const maxPosition = 2 ** 32 - 1
const maxBlock = 2 ** 37

/** The units of a leaf, by columns. */
export interface LeafPage {
  /** Of each unit, and one more: the virtual offset at which it begins, the last: at which the page's last one ends. */
  readonly starts: Float64Array
  /** Of each unit: the run of its first extent; its others are on the runs that follow. */
  readonly firstRuns: Uint32Array
  /** Of each unit: how many extents there are up to its end. */
  readonly extentsTo: Uint32Array
  /** Of each extent: where its first record begins, and the furthest end. */
  readonly begs: readonly number[]
  readonly ends: readonly number[]
  /** Of each extent: how many gaps there are up to its end. */
  readonly gapsTo: readonly number[]
  readonly gapBegs: readonly number[]
  readonly gapEnds: readonly number[]
}

/**
 * Reads a leaf, whose checksum was checked, and that is to cover `stretch` of a file with `runs` runs.
 * @throws HtsvaultError BLOCK_MAP_CORRUPT
 */
export function readLeaf(bytes: Uint8Array, stretch: Stretch, runs: number): LeafPage {
  const reader = new VarintReader(bytes)
  const units = reader.count(4)
  if (units === 0) throw corrupt('a leaf is empty')
  let run = reader.varint()
  const starts = new Float64Array(units + 1)
  const firstRuns = new Uint32Array(units)
  const extentsTo = new Uint32Array(units)
  const begs: number[] = []
  const ends: number[] = []
  const gapsTo: number[] = []
  const gapBegs: number[] = []
  const gapEnds: number[] = []
  let block = 0
  let lastBeg = 0
  for (let unit = 0; unit < units; unit++) {
    const tag = reader.varint()
    const extents = Math.floor(tag / unitTag.extents) + 1
    if (extents * 2 > reader.left) throw corrupt('more extents are declared than there are')
    block += reader.varint()
    const within = (tag & unitTag.within) === 0 ? 0 : reader.varint()
    if (block >= maxBlock || within >= 65536) throw corrupt('a unit begins beyond any file')
    starts[unit] = virtualOffset(block, within)
    if (unit > 0 && starts[unit]! <= starts[unit - 1]!) throw corrupt('units are out of order')
    if ((tag & unitTag.nextRun) !== 0) {
      run++
      lastBeg = 0
    }
    firstRuns[unit] = run
    for (let i = 0; i < extents; i++) {
      if (i > 0) {
        run++
        lastBeg = 0
      }
      const beg = lastBeg + reader.varint()
      const end = beg + 1 + reader.varint()
      if (end > maxPosition) throw corrupt('an extent ends beyond any position')
      const gaps = (tag & unitTag.gaps) === 0 ? 0 : reader.count(2)
      let at = beg
      for (let gap = 0; gap < gaps; gap++) {
        gapBegs.push((at += reader.varint()))
        gapEnds.push((at += reader.varint()))
      }
      if (at >= end) throw corrupt('a gap ends beyond its extent')
      begs.push(beg)
      ends.push(end)
      gapsTo.push(gapBegs.length)
      lastBeg = beg
    }
    extentsTo[unit] = begs.length
  }
  reader.end()
  starts[units] = stretch.end
  if (run >= runs) throw corrupt('a unit is on a run that is not there')
  if (starts[0] !== stretch.start || starts[units - 1]! >= stretch.end)
    throw corrupt('a leaf is not where its directory says')
  return { starts, firstRuns, extentsTo, begs, ends, gapsTo, gapBegs, gapEnds }
}
