import type { BlockHeader } from '../BlockHeader.ts'
import { content } from '../BlockHeader.ts'
import { inflateBlock } from '../codecs/inflateBlock.ts'
import { corrupt, tooLarge } from '../cramErrors.ts'
import { Cursor } from '../Cursor.ts'
import { maxInflatedBytes } from '../limits.ts'
import { BitReader } from './BitReader.ts'

/** A block as it is stored. */
export interface StoredBlock {
  readonly header: BlockHeader
  readonly bytes: Uint8Array
}

/** The inflated blocks of one slice, and how far each has been read: what reads one block shares its place in it. */
export class SliceData {
  readonly core: BitReader
  readonly #externals = new Map<number, Cursor>()

  /** @throws HtsvaultError CRAM_CORRUPT, CRAM_TOO_LARGE, CRAM_UNSUPPORTED */
  constructor(blocks: readonly StoredBlock[]) {
    let core: Uint8Array = new Uint8Array(0)
    let inflated = 0
    for (const { header, bytes } of blocks) {
      inflated += header.rawSize
      if (inflated > maxInflatedBytes)
        throw tooLarge(`the blocks of a slice inflate to over ${maxInflatedBytes} bytes`)
      const raw = inflateBlock(header, bytes)
      if (header.content === content.core) core = raw
      else this.#externals.set(header.contentId, new Cursor(raw))
    }
    this.core = new BitReader(core)
  }

  /** @throws HtsvaultError CRAM_CORRUPT where the slice has no such block */
  external(contentId: number): Cursor {
    const cursor = this.#externals.get(contentId)
    if (!cursor) throw corrupt('a slice reads a block that it has not')
    return cursor
  }
}
