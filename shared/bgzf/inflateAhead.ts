import { BlocksAhead } from './BlocksAhead.ts'
import { inflateBlock } from './bgzfBlock.ts'

/**
 * As `inflateBlock`, of the block of `size` bytes at `at`. What follows it there may be inflated with it, so bytes that
 * are others are another array.
 */
export type InflateBlock = (bytes: Uint8Array, at: number, size: number, offset: number) => Uint8Array

/** Inflates the blocks of a chunk that are asked for one after the other, a few at a time. */
export function inflateAhead(): InflateBlock {
  const ahead = new BlocksAhead()
  return (bytes, at, size, offset) =>
    inflateBlock(bytes.subarray(at, at + size), offset, ahead.take(bytes, at, size))
}
