import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { inflateBlock, maxBlockSize, readBlockSize } from './bgzfBlock.ts'
import {
  type VirtualOffset,
  type VirtualRange,
  blockOf,
  formatVirtualOffset,
  withinOf,
} from './VirtualOffset.ts'
import { writeBgzf } from './writeBgzf.ts'

/** BGZF blocks without the end-of-file marker, of a size that is known before they are read. */
export interface BgzfCut {
  /** In bytes. */
  readonly size: number
  stream(): AsyncIterable<Uint8Array>
}

/**
 * The BGZF blocks that inflate to exactly the plain bytes of a virtual range: whole blocks as they stand in the
 * file, a first or last one that is cut deflated anew. In memory are the cut blocks alone.
 * @throws HtsvaultError BGZF_NO_BLOCK where the file has no such place; BGZF_BAD_DATA, BGZF_CRC, and what the
 *   source throws.
 */
export async function cutBgzf(source: ByteSource, range: VirtualRange): Promise<BgzfCut> {
  const { start, end } = range
  if (end <= start) return { size: 0, async *stream() {} }
  const endBlock = blockOf(end)
  const first = await blockAt(source, start)
  if (blockOf(start) === endBlock)
    return pieces(source, writeBgzf(plainOf(first, start, end), { eof: false }), endBlock, endBlock, nothing)

  const cutsFirst = withinOf(start) > 0
  const head = cutsFirst ? writeBgzf(plainOf(first, start), { eof: false }) : nothing
  const wholeStart = blockOf(start) + (cutsFirst ? first.length : 0)
  if (wholeStart > endBlock || endBlock > source.size) throw noBlock(end)
  const tail =
    withinOf(end) > 0
      ? writeBgzf(plainOf(await blockAt(source, end), undefined, end), { eof: false })
      : nothing
  return pieces(source, head, wholeStart, endBlock, tail)
}

const nothing = new Uint8Array(0)

function pieces(source: ByteSource, head: Uint8Array, start: number, end: number, tail: Uint8Array): BgzfCut {
  return {
    size: head.length + (end - start) + tail.length,
    async *stream() {
      if (head.length > 0) yield head
      if (end > start) yield* source.stream(start, end)
      if (tail.length > 0) yield tail
    },
  }
}

/** The whole compressed block in which an offset lies. */
async function blockAt(source: ByteSource, offset: VirtualOffset): Promise<Uint8Array> {
  const at = blockOf(offset)
  if (at >= source.size) throw noBlock(offset)
  const bytes = await source.read(at, Math.min(at + maxBlockSize, source.size))
  let size: number
  try {
    size = readBlockSize(bytes, 0, bytes.length, at)
  } catch (cause) {
    throw noBlock(offset, cause)
  }
  if (size === 0 || size > bytes.length) throw noBlock(offset)
  return bytes.subarray(0, size)
}

/** The plain bytes of a block from one offset in it to another. */
function plainOf(block: Uint8Array, from: VirtualOffset | undefined, to?: VirtualOffset): Uint8Array {
  const plain = inflateBlock(block, blockOf((from ?? to)!))
  const start = from === undefined ? 0 : withinOf(from)
  const end = to === undefined ? plain.length : withinOf(to)
  if (start > plain.length) throw noBlock(from!)
  if (end > plain.length) throw noBlock(to!)
  return plain.subarray(start, end)
}

function noBlock(offset: VirtualOffset, cause?: unknown): HtsvaultError {
  return new HtsvaultError('BGZF_NO_BLOCK', 'the file has no BGZF block at a place that its index names', {
    place: { virtualOffset: formatVirtualOffset(offset) },
    hint: 'the index and the file do not belong together: index the file again',
    cause,
  })
}
