import { blockOf, virtualOffset, withinOf, type VirtualRange } from '#shared/bgzf/VirtualOffset.ts'
import type { BlockMap } from '#shared/indexes/blockMap/openBlockMap.ts'
import type { UnitRun } from '#shared/indexes/blockMap/UnitRun.ts'

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

export interface PlanLimits {
  /** The longest piece of the file behind one URL, in bytes; grows where a ticket would have over 2,000 pieces. */
  readonly pieceBytes: number
  /** Unwanted bytes between two runs that are cheaper to send than to skip. */
  readonly gapBytes: number
  /** The longest header that stands in the ticket itself, in bytes. */
  readonly inlineBytes: number
}

export const defaultLimits: PlanLimits = { pieceBytes: 6_000_000, gapBytes: 16_384, inlineBytes: 1 << 20 }

const maxPieces = 2000

type MappedFile = Pick<BlockMap, 'header' | 'eof' | 'headerEnd' | 'fileSize'>

/** The header alone, which is a file of its own: it ends with the EOF marker, without which samtools warns. */
export const planHeader = (file: MappedFile, limits = defaultLimits): Piece[] => [
  ...headerPieces(file, limits),
  { kind: 'inline', bytes: file.eof, class: 'header' },
]

/** The whole file, byte for byte. Where the header ends within a block there are no classes: no piece is one of them. */
export function planWhole({ headerEnd, fileSize }: MappedFile, limits = defaultLimits): Piece[] {
  const border = blockOf(headerEnd)
  if (withinOf(headerEnd) > 0 || border === 0) return bytesPieces(0, fileSize, limits.pieceBytes)
  return [
    ...bytesPieces(0, border, limits.pieceBytes, 'header'),
    ...bytesPieces(border, fileSize, limits.pieceBytes, 'body'),
  ]
}

/** These stretches of whole records, between the header and the EOF marker: in file order, each once. */
export function planRuns(file: MappedFile, runs: readonly UnitRun[], limits = defaultLimits): Piece[] {
  const joined = joinAcross(runs, limits.gapBytes)
  const total = joined.reduce((sum, { start, end }) => sum + blockOf(end) - blockOf(start), 0)
  const pieceBytes = Math.max(limits.pieceBytes, Math.ceil(total / maxPieces))
  return [
    ...headerPieces(file, limits),
    ...joined.flatMap(run => runPieces(run, pieceBytes)),
    { kind: 'inline', bytes: file.eof, class: 'body' },
  ]
}

function headerPieces({ header, headerEnd }: MappedFile, limits: PlanLimits): Piece[] {
  if (header && header.length <= limits.inlineBytes)
    return [{ kind: 'inline', bytes: header, class: 'header' }]
  return runPieces({ start: virtualOffset(0, 0), end: headerEnd, border: 0 }, limits.pieceBytes, 'header')
}

/** A run as whole blocks, which are sent as they are, and a first and last block that are cut. */
function runPieces({ start, end, border }: UnitRun, pieceBytes: number, cls: BlockClass = 'body'): Piece[] {
  const last = blockOf(end)
  if (border > last || (border === last && withinOf(start) > 0))
    return [{ kind: 'virtual', start, end, class: cls }]
  const pieces: Piece[] = []
  if (withinOf(start) > 0) pieces.push({ kind: 'virtual', start, end: virtualOffset(border, 0), class: cls })
  pieces.push(...bytesPieces(border, last, pieceBytes, cls))
  if (withinOf(end) > 0) pieces.push({ kind: 'virtual', start: virtualOffset(last, 0), end, class: cls })
  return pieces
}

function bytesPieces(start: number, end: number, pieceBytes: number, cls?: BlockClass): BytesPiece[] {
  const size = Math.max(pieceBytes, Math.ceil((end - start) / maxPieces))
  const pieces: BytesPiece[] = []
  for (let at = start; at < end; at += size)
    pieces.push({ kind: 'bytes', start: at, end: Math.min(end, at + size), ...(cls && { class: cls }) })
  return pieces
}

/** Joins runs whose gap is at most `gap` bytes of the file. */
function joinAcross(runs: readonly UnitRun[], gap: number): UnitRun[] {
  const joined: UnitRun[] = []
  for (const run of runs) {
    const last = joined.at(-1)
    if (last && blockOf(run.start) - blockOf(last.end) <= gap)
      joined[joined.length - 1] = { ...last, end: run.end }
    else joined.push(run)
  }
  return joined
}
