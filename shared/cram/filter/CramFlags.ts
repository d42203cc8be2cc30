import { corrupt } from '../cramErrors.ts'
import { core, type BlockId, type Encoding } from '../encodings/Encoding.ts'
import type { FileDefinition } from '../FileDefinition.ts'
import { idOf, InflateBudget, type Block, type Container } from './Container.ts'
import type { CompressionMaps, StoredEncoding } from './CompressionMaps.ts'
import { beta, blocksRead, huffman } from './encodings.ts'

/** Flags of CF (CRAMv3 §10.2). */
export const cramFlag = { qualitiesKept: 1, noBases: 8 } as const

/** Tells of the flags that each record of a container has, and adds one to them; the blocks are read where needed. */
export class CramFlags {
  readonly #stored: StoredEncoding
  readonly #container: Container
  readonly #definition: FileDefinition
  /** The external block that holds the flags, and nothing else. */
  readonly #block: number | undefined
  #values: (Uint8Array | undefined)[] | undefined

  /** @throws HtsvaultError CRAM_CORRUPT */
  constructor(container: Container, maps: CompressionMaps, definition: FileDefinition) {
    const stored = maps.series.get('CF')
    if (!stored) throw corrupt('a container does not say how CF is encoded')
    this.#stored = stored
    this.#container = container
    this.#definition = definition
    const { encoding } = stored
    if (encoding.kind !== 'external') return
    const shared = [...maps.series, ...maps.tags].some(
      ([key, other]) => key !== 'CF' && blocksRead(other.encoding)?.includes(encoding.contentId),
    )
    if (!shared) this.#block = encoding.contentId
  }

  /** Whether it is certain that every record has the flag. @throws what InflateBudget throws */
  allHave(flag: number): boolean {
    const { encoding } = this.#stored
    if (encoding.kind === 'huffman') return encoding.symbols.every(symbol => (symbol & flag) !== 0)
    return this.#inflated()?.every(values => values?.every(value => (value & flag) !== 0) ?? true) ?? false
  }

  /** Whether `withAdded` and `blockWith` can give every record this flag. @throws what InflateBudget throws */
  canAdd(flag: number): boolean {
    return this.#block === undefined
      ? added(this.#stored.encoding, flag) !== undefined
      : this.#inflated() !== undefined
  }

  /** The encoding once every record has the flag. */
  withAdded(flag: number): StoredEncoding {
    return added(this.#stored.encoding, flag) ?? this.#stored
  }

  /** The content id of the flags' block, and the bytes of the one of a slice once every record has the flag. */
  blockWith(flag: number): { contentId: number; raw: (slice: number) => Uint8Array } | undefined {
    const contentId = this.#block
    if (contentId === undefined) return undefined
    return {
      contentId,
      raw: slice => (this.#inflated()?.[slice] ?? new Uint8Array(0)).map(value => value | flag),
    }
  }

  /** Whether no slice has a byte in this block. */
  isEmpty(block: BlockId): boolean {
    if (block === core) return false
    return this.#container.slices.every(
      ({ blocks }) => (externalBlock(blocks, block)?.header.rawSize ?? 0) === 0,
    )
  }

  /** Of each slice the flags of its records, where each is one byte. */
  #inflated(): (Uint8Array | undefined)[] | undefined {
    const contentId = this.#block
    if (contentId === undefined) return undefined
    if (!this.#values) {
      const budget = new InflateBudget(this.#definition)
      this.#values = this.#container.slices.map(({ blocks, header }) => {
        const block = externalBlock(blocks, contentId)
        if (!block && header.records === 0) return undefined
        if (block?.header.rawSize !== header.records) throw corrupt('a slice has not as many CF as records')
        return budget.inflate(block)
      })
    }
    return this.#values.every(values => values?.every(value => value < 0x80) ?? true)
      ? this.#values
      : undefined
  }
}

const externalBlock = (blocks: readonly Block[], contentId: number): Block | undefined =>
  blocks.find(block => idOf(block) === contentId)

/** An encoding of the same codes for values that all have the flag; undefined where there is none. */
function added(encoding: Encoding, flag: number): StoredEncoding | undefined {
  if (encoding.kind === 'huffman') {
    const { symbols, lengths } = encoding
    const had = symbols.filter(symbol => (symbol & flag) !== 0).length
    // Codes are given out by the order of the symbols (CRAMv3 §13.3): it must stay as it is.
    if (had !== 0 && had !== symbols.length) return undefined
    return huffman(
      symbols.map(symbol => symbol | flag),
      lengths,
    )
  }
  if (encoding.kind === 'beta') {
    const { offset, bits } = encoding
    const all = offset === 0 && 2 ** bits <= flag
    return all ? beta(offset - flag, bits) : undefined
  }
  return undefined
}
