import type { CompressionHeader } from '../CompressionHeader.ts'
import { blocksOf, type BlockId, type Encoding } from '../encodings/Encoding.ts'

/** What must be read of a slice to know where its records lie. */
export interface SeriesPlan {
  /** By the two letters: these are read, the others are left alone. */
  readonly series: ReadonlySet<string>
  /** Tags that are read because they stand in a block that is. */
  readonly tags: ReadonlySet<number>
  /** The blocks that are inflated. */
  readonly blocks: ReadonlySet<BlockId>
}

/** Flags, reference, position, length, and the features that shift the reference against the read. */
const wanted = ['BF', 'RI', 'RL', 'AP', 'FN', 'FC', 'FP', 'DL', 'RS', 'SC', 'IN', 'BB']

/** What another series must be known for: how often, or whether, it is there. */
const neededBy: Readonly<Record<string, readonly string[]>> = {
  MF: ['CF'],
  NS: ['CF'],
  NP: ['CF'],
  TS: ['CF'],
  NF: ['CF'],
  RN: ['CF'],
  QS: ['CF'],
}

/**
 * Plans the reading of a container's slices of several references: the series that tell where records lie, and
 * those that share a block with them, because values in a block are found one after another only.
 */
export function planSeries({ series, tags }: CompressionHeader): SeriesPlan {
  const read = new Set(wanted)
  const readTags = new Set<number>()
  const blocks = new Set<BlockId>()
  for (let size = -1; size !== read.size + readTags.size;) {
    size = read.size + readTags.size
    for (const [key, encoding] of series) if (read.has(key)) addBlocks(essential(encoding), blocks)
    for (const [key, encoding] of tags) if (readTags.has(key)) addBlocks(essential(encoding), blocks)
    const shares = (encoding: Encoding) => blocksOf(encoding).some(block => blocks.has(block))
    for (const [key, encoding] of series) if (shares(encoding)) read.add(key)
    for (const [key, encoding] of tags) if (shares(encoding)) readTags.add(key)
    for (const key of [...read]) for (const other of neededBy[key] ?? []) read.add(other)
    if (readTags.size > 0) read.add('TL')
  }
  return { series: read, tags: readTags, blocks }
}

/** The lengths of arrays suffice: their values are read past only in blocks that are read anyway. */
const essential = (encoding: Encoding): BlockId[] =>
  blocksOf(encoding.kind === 'arrayOfLength' ? encoding.length : encoding)

function addBlocks(from: readonly BlockId[], to: Set<BlockId>): void {
  for (const block of from) to.add(block)
}
