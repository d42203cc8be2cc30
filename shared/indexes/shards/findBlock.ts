import { maxBlockSize, readBlockSize } from '#shared/bgzf/bgzfBlock.ts'

/** Blocks that must follow each other for the first one to be taken for a block. */
const chain = 4

/** So many bytes are enough to find a block that begins in the first 64 KiB. */
export const findBlockBytes = (1 + chain) * maxBlockSize

/**
 * Where in `bytes` the first BGZF block begins, by its magic and those of the blocks behind it; -1 where none does
 * in the first 64 KiB. `ended`: the file ends with these bytes.
 */
export function findBlock(bytes: Uint8Array, ended: boolean): number {
  const last = Math.min(maxBlockSize, bytes.length)
  for (let at = bytes.indexOf(0x1f); at >= 0 && at < last; at = bytes.indexOf(0x1f, at + 1))
    if (bytes[at + 1] === 0x8b && bytes[at + 2] === 8 && beginsChain(bytes, at, ended)) return at
  // Nothing follows the last block of a file: a shard may begin there.
  return ended && bytes.length === 0 ? 0 : -1
}

function beginsChain(bytes: Uint8Array, from: number, ended: boolean): boolean {
  let at = from
  for (let block = 0; block < chain; block++) {
    if (at >= bytes.length) return ended && at === bytes.length && block > 0
    let size: number
    try {
      // Any offset but 0, which stands for a file that begins so.
      size = readBlockSize(bytes, at, bytes.length, 1)
    } catch {
      return false
    }
    if (size === 0) return false
    at += size
  }
  return true
}
