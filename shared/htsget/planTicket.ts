import { blockOf, virtualOffset, withinOf, type VirtualRange } from '#shared/bgzf/VirtualOffset.ts'
import type { BlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import { runBytes, type UnitRun } from '#shared/indexes/blockMap/UnitRun.ts'

/** What htsget calls a data block's class: all of a ticket's have one, or none has. */
export type BlockClass = 'header' | 'body'

interface Classed {
  readonly class?: BlockClass
}
/** Bytes that stand in the ticket itself. */
export interface InlinePiece extends Classed {
  readonly kind: 'inline'
  readonly bytes: Uint8Array
}
/** Bytes of the plain file, `start` to `end`, as they are. */
export interface BytesPiece extends Classed {
  readonly kind: 'bytes'
  readonly start: number
  readonly end: number
}
/** What a virtual range inflates to, as BGZF blocks that are cut at its ends. */
export interface VirtualPiece extends Classed, VirtualRange {
  readonly kind: 'virtual'
}
export type Piece = InlinePiece | BytesPiece | VirtualPiece
/** Whole records, or whole containers, that are sent without the columns that were not asked for. */
export interface RecordsPiece extends Classed, VirtualRange {
  readonly kind: 'records'
}

export interface PlanLimits {
  /** The longest piece of the file behind one URL, in bytes; grows where a ticket would have over 2,000 pieces. */
  readonly pieceBytes: number
  /** Unwanted bytes between two runs that are cheaper to send than to skip. */
  readonly gapBytes: number
  /** The longest header that stands in the ticket itself, in bytes. */
  readonly inlineBytes: number
}

export const defaultLimits: PlanLimits = { pieceBytes: 6_000_000, gapBytes: 16_384, inlineBytes: 1 << 20 }

/** A ticket of more pieces than this is a burden for both sides: pieces and gaps grow instead. */
const maxPieces = 2000

type MappedFile = Pick<BlockMap, 'header' | 'headerVerbatim' | 'eof' | 'headerEnd' | 'fileSize'>

/** The header alone, which is a file of its own: it ends with the EOF marker, without which samtools warns. */
export const planHeader = (file: MappedFile, limits = defaultLimits): Piece[] => [
  ...headerPieces(file, limits),
  ...eofPieces(file),
]

/**
 * The whole file, byte for byte. It has classes only where its header is, byte for byte, what other tickets of the file
 * have as header: a client may keep the one and leave out the other.
 */
export function planWhole(file: MappedFile, limits = defaultLimits): Piece[] {
  const { headerEnd, fileSize } = file
  const border = blockOf(headerEnd)
  const step = stepFor(fileSize, 1, limits)
  const served = inlineHeader(file, limits)
  if (withinOf(headerEnd) > 0 || border === 0 || (served && !file.headerVerbatim))
    return bytesPieces(0, fileSize, step)
  return [...headerPieces(file, limits), ...bytesPieces(served?.length ?? border, fileSize, step, 'body')]
}

/** These stretches of whole records, between the header and the EOF marker: in file order, each once. */
export function planRuns(file: MappedFile, runs: readonly UnitRun[], limits = defaultLimits): Piece[] {
  const joined = joinAcross(runs, limits.gapBytes)
  const step = stepFor(totalOf(joined), joined.length, limits)
  return [...headerPieces(file, limits), ...joined.flatMap(run => runPieces(run, step)), ...eofPieces(file)]
}

/** How long a piece of these stretches may be, in bytes, where each is to be whole units. */
export function recordsStep(runs: readonly UnitRun[], limits = defaultLimits): number {
  const joined = joinAcross(runs, limits.gapBytes)
  return stepFor(totalOf(joined), joined.length, limits)
}

/**
 * The same stretches for a query of some columns only: `units` are the units of the same regions, none longer than
 * `recordsStep` of them but where it is one unit. What is cut out of the file is cut where units begin.
 */
export const planRecords = (
  file: MappedFile,
  units: readonly UnitRun[],
  limits = defaultLimits,
): (Piece | RecordsPiece)[] => [
  ...headerPieces(file, limits),
  ...packUnits(units, joinAcross(units, limits.gapBytes), recordsStep(units, limits)).map(
    ({ start, end }) => ({ kind: 'records', start, end, class: 'body' }) as const,
  ),
  ...eofPieces(file),
]

/** The header as far as it stands in the ticket itself. */
const inlineHeader = ({ header }: MappedFile, limits: PlanLimits): Uint8Array | undefined =>
  header && header.length <= limits.inlineBytes ? header : undefined

function headerPieces(file: MappedFile, limits: PlanLimits): Piece[] {
  const bytes = inlineHeader(file, limits)
  if (bytes) return bytes.length > 0 ? [{ kind: 'inline', bytes, class: 'header' }] : []
  return runPieces(
    { start: virtualOffset(0, 0), end: file.headerEnd, border: 0 },
    limits.pieceBytes,
    'header',
  )
}

/** The marker is body: a client that keeps a header for another ticket must not keep the end with it. */
const eofPieces = ({ eof }: MappedFile): Piece[] =>
  eof.length > 0 ? [{ kind: 'inline', bytes: eof, class: 'body' }] : []

/** A run as whole blocks, which are sent as they are, and a first and last block that are cut; a short one at once. */
function runPieces({ start, end, border }: UnitRun, step: number, cls: BlockClass = 'body'): Piece[] {
  const last = blockOf(end)
  const cutStart = withinOf(start) > 0
  const cutEnd = withinOf(end) > 0
  if ((cutStart || cutEnd) && last - blockOf(start) <= step)
    return [{ kind: 'virtual', start, end, class: cls }]
  return [
    ...(cutStart ? [{ kind: 'virtual', start, end: virtualOffset(border, 0), class: cls } as const] : []),
    ...bytesPieces(border, last, step, cls),
    ...(cutEnd ? [{ kind: 'virtual', start: virtualOffset(last, 0), end, class: cls } as const] : []),
  ]
}

function bytesPieces(start: number, end: number, step: number, cls?: BlockClass): BytesPiece[] {
  const pieces: BytesPiece[] = []
  for (let at = start; at < end; at += step)
    pieces.push({ kind: 'bytes', start: at, end: Math.min(end, at + step), ...(cls && { class: cls }) })
  return pieces
}

/** Pieces kept back for the header and the EOF marker. */
const besides = 8

/** How long a piece may be where some runs take `total` bytes: each run may take three pieces more than its share. */
const stepFor = (total: number, runs: number, { pieceBytes }: PlanLimits): number =>
  Math.max(pieceBytes, Math.ceil(total / (maxPieces - besides - 3 * runs)))

const totalOf = (runs: readonly UnitRun[]): number => runs.reduce((sum, run) => sum + runBytes(run), 0)

/** Puts the units of each run together to pieces of at most `step` bytes, or longer ones where there are too many. */
function packUnits(units: readonly UnitRun[], runs: readonly UnitRun[], step: number): UnitRun[] {
  const packed: UnitRun[] = []
  let run = 0
  for (const unit of units) {
    const last = packed.at(-1)
    const begins = unit.start >= runs[run]!.end
    if (begins) run++
    const both = last && { ...last, end: unit.end }
    if (both && !begins && runBytes(both) <= step) packed[packed.length - 1] = both
    else packed.push(unit)
  }
  return packed.length <= maxPieces - besides ? packed : packUnits(packed, runs, step * 2)
}

/** Joins runs whose gap is at most `gap` bytes of the file, and more where there are too many runs for a ticket. */
function joinAcross(runs: readonly UnitRun[], gap: number): UnitRun[] {
  const joined: UnitRun[] = []
  for (const run of runs) {
    const last = joined.at(-1)
    if (last && blockOf(run.start) - blockOf(last.end) <= gap)
      joined[joined.length - 1] = { ...last, end: run.end }
    else joined.push(run)
  }
  return joined.length <= maxPieces / 4 ? joined : joinAcross(joined, Math.max(gap * 2, 65_536))
}
