/**
 * The binning scheme of BAI, TBI and CSI (SAMv1 §5.3, CSIv1): `depth` levels of bins below bin 0, each split in
 * eight; the smallest are windows of 2^minShift bases. BAI and TBI are the scheme of minShift 14, depth 5.
 */
export interface BinningScheme {
  readonly minShift: number
  readonly depth: number
}

/** The scheme of BAI and TBI. */
export const baiScheme: BinningScheme = { minShift: 14, depth: 5 }

/** The deepest scheme whose bin numbers fit 31 bits. */
export const maxDepth = 9

// A table: the power took 6 % of the time of indexing thin VCF lines.
const firstBins = Float64Array.from({ length: 12 }, (_, level) => (8 ** level - 1) / 7)

/** Number of the first bin of a level; level 0 is bin 0 alone. */
export const firstBin = (level: number): number => firstBins[level]!

/** How many bins a scheme has: the number of the first that it does not have. */
export const binCount = (depth: number): number => firstBin(depth + 1)

/** The pseudo-bin that holds a reference's file range and counts (SAMv1 §5.2): 37450 of BAI. */
export const metadataBin = (depth: number): number => binCount(depth) + 1

/** The positions that a scheme can hold end here: 2^29 of BAI. */
export const schemeEnd = ({ minShift, depth }: BinningScheme): number => 2 ** (minShift + 3 * depth)

export const parentOf = (bin: number): number => (bin - 1) >> 3

export function levelOf(bin: number): number {
  let level = 0
  while (bin > 0) {
    bin = parentOf(bin)
    level++
  }
  return level
}

/** The first window of a bin. */
export function firstWindow(bin: number, depth: number): number {
  const level = levelOf(bin)
  return (bin - firstBin(level)) * 8 ** (depth - level)
}

/** The smallest bin that holds both windows. */
export function binOfWindows(first: number, last: number, depth: number): number {
  let levelStart = firstBin(depth)
  for (let level = depth; level > 0; level--) {
    if (first === last) return levelStart + first
    first >>= 3
    last >>= 3
    levelStart = (levelStart - 1) >> 3
  }
  return 0
}

/** The scheme of minShift 14 that holds a reference of that length, as `samtools index -c` chooses it. */
export function csiScheme(longestReference: number, minShift = 14): BinningScheme {
  let depth = 0
  while (longestReference + 256 > 2 ** (minShift + 3 * depth)) depth++
  return { minShift, depth }
}
