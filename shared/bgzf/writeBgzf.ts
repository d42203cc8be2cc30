import { crc32, deflateRawSync } from 'node:zlib'
import { eofMarker, maxBlockSize } from './bgzfBlock.ts'

/** Plain bytes in a block, as htslib cuts them: incompressible ones still fit a block of 64 KiB. */
const plainBlockSize = 0xff00
const headerSize = 18
const trailerSize = 8

export interface WriteBgzfOptions {
  /** zlib's level, 0 to 9. */
  readonly level?: number
  /** Whether the end-of-file marker is written: yes, unless more blocks are to follow. */
  readonly eof?: boolean
  /** Plain bytes in a block, at most 65280. */
  readonly blockSize?: number
}

/** Compresses bytes to a BGZF file (SAMv1 §4.1), or to the blocks of one. */
export function writeBgzf(
  plain: Uint8Array,
  { level = 6, eof = true, blockSize = plainBlockSize }: WriteBgzfOptions = {},
): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let at = 0; at < plain.length; at += blockSize)
    blocks.push(writeBlock(plain.subarray(at, at + blockSize), level))
  if (eof) blocks.push(eofMarker)
  return concatenate(blocks)
}

function writeBlock(plain: Uint8Array, level: number): Uint8Array {
  let deflated = deflateRawSync(plain, { level })
  if (headerSize + deflated.length + trailerSize > maxBlockSize)
    deflated = deflateRawSync(plain, { level: 0 })
  const block = new Uint8Array(headerSize + deflated.length + trailerSize)
  const view = new DataView(block.buffer)
  block.set(eofMarker.subarray(0, 16))
  view.setUint16(16, block.length - 1, true)
  block.set(deflated, headerSize)
  view.setUint32(block.length - 8, crc32(plain), true)
  view.setUint32(block.length - 4, plain.length, true)
  return block
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
