import { gzipSync } from 'node:zlib'
import { virtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { writeBai } from '../bai/writeBai.ts'
import { baiScheme, csiScheme, type BinningScheme } from '../binning/bins.ts'
import { buildBinningIndex } from '../binning/buildBinningIndex.ts'
import { writeBlockMap } from '../blockMap/writeBlockMap.ts'
import { writeCsi } from '../csi/writeCsi.ts'
import type { IndexedFile, Reference } from '../FileIndexer.ts'
import { writeTabixHeader } from '../tbi/tabixHeader.ts'
import { writeTbi } from '../tbi/writeTbi.ts'
import type { BamFileHeader, BcfFileHeader, FileHeader, VcfFileHeader } from './FileHeader.ts'
import type { FileEnd, Findings } from './Findings.ts'
import { widestScheme } from './scanVcf.ts'

/** The longest reference of a TBI, in bases. */
const longestOfTbi = 2 ** 29 - 1

/** `bcftools index` gives the CSI of a VCF six levels at least: 2^32 bases. */
const csiLevels = 6

/** What `bcftools index` takes for the longest contig where the header of a BCF gives no length. */
const unknownLength = 2 ** 31 - 1

/**
 * A file's indexes, of what its header tells and its records left.
 * @throws HtsvaultError INDEX_TOO_LARGE; POSITION_TOO_LARGE where a TBI was asked for
 */
export function fileOf(header: FileHeader, findings: Findings, { size, eof }: FileEnd): IndexedFile {
  const { format, formatVersion, end: headerEnd } = header
  const { records, units, runs } = findings
  // A VCF's records may be on contigs that its header does not name.
  const { references, idOf } = format === 'VCF' ? namedReferences(header, findings) : numberedIn(header)
  const index = standardIndex(header, findings, references)
  const dataEnd = virtualOffset(size - eof.length, 0)
  const blockMap = writeBlockMap(units, {
    format,
    headerEnd,
    dataEnd,
    fileSize: size,
    header: header.bytes,
    eof,
    references,
    idOf,
  })
  return {
    format,
    formatVersion,
    references,
    records,
    unplacedRecords: format === 'CRAM' ? findings.unplaced : runs.unplaced,
    index,
    blockMap,
    size,
    headerEnd,
    dataEnd,
  }
}

function standardIndex(
  header: FileHeader,
  findings: Findings,
  references: readonly Reference[],
): IndexedFile['index'] {
  switch (header.format) {
    case 'BAM':
      return bamIndex(header, findings)
    case 'VCF':
      return vcfIndex(header, findings, references)
    case 'BCF':
      return bcfIndex(header, findings)
    case 'CRAM':
      return { kind: 'crai', bytes: gzipSync(findings.crai) }
  }
}

function bamIndex({ kind, scheme, references }: BamFileHeader, { runs }: Findings): IndexedFile['index'] {
  const linear = kind === 'bai'
  const layout = { ...scheme, runDepth: scheme.depth, references: references.length, linear }
  const index = buildBinningIndex(runs, layout)
  return { kind, bytes: linear ? writeBai(index) : writeCsi(index) }
}

/** The index lists the contigs that have records, in the order of the file, as tabix does. */
function vcfIndex(
  { wanted, longestContig }: VcfFileHeader,
  findings: Findings,
  references: readonly Reference[],
): IndexedFile['index'] {
  const { runs, contigs, furthest } = findings
  let longest = furthest
  for (const { length = 0 } of references) if (length > longest) longest = length
  const kind = wanted ?? (longest > longestOfTbi ? 'csi' : 'tbi')
  const linear = kind === 'tbi'
  const scheme = linear ? baiScheme : deepEnough(longestContig, furthest, csiLevels)
  const layout = { ...scheme, runDepth: widestScheme.depth, references: 0, linear }
  const index = buildBinningIndex(runs, layout)
  return {
    kind,
    bytes: linear ? writeTbi(index, contigs) : writeCsi(index, writeTabixHeader(contigs)),
  }
}

function bcfIndex(header: BcfFileHeader, { runs, furthest }: Findings): IndexedFile['index'] {
  const { references } = header
  let longest = 0
  for (const { length = 0 } of references) if (length > longest) longest = length
  const scheme = deepEnough(longest || unknownLength, furthest)
  const layout = { ...scheme, runDepth: widestScheme.depth, references: references.length, linear: false }
  return { kind: 'csi', bytes: writeCsi(buildBinningIndex(runs, layout)) }
}

/** Of `levels` at least, and as many as the records and a reference of a declared length need. */
function deepEnough(longestReference: number, furthest: number, levels = 0): BinningScheme {
  let depth = Math.max(levels, csiScheme(longestReference).depth)
  while (2 ** (baiScheme.minShift + 3 * depth) < furthest) depth++
  return { minShift: baiScheme.minShift, depth }
}

interface Naming {
  readonly references: readonly Reference[]
  /** From what the findings call a reference to its place among `references`. */
  readonly idOf: (refId: number) => number
}

function numberedIn(header: FileHeader): Naming {
  const { references } = header
  if (header.format !== 'BCF') return { references, idOf: id => id }
  const ids = new Map(header.contigs.map((id, i) => [id, i]))
  return { references, idOf: id => ids.get(id)! }
}

/** The header's contigs, then those that only records name. */
function namedReferences(header: FileHeader, { contigs }: Findings): Naming {
  const references: Reference[] = [...header.references]
  const ids = new Map(references.map(({ name }, i) => [name, i]))
  for (const name of contigs) if (!ids.has(name)) ids.set(name, references.push({ name }) - 1)
  return { references, idOf: id => ids.get(contigs[id]!)! }
}
