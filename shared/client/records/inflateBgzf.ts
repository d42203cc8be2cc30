import { eofMarker, readBlockSize, trailerSize } from '#shared/bgzf/blockHeader.ts'
import { BlocksAhead } from '#shared/bgzf/BlocksAhead.ts'
import { maxInflate } from '#shared/bgzf/inflateRaw.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { crc32 } from './crc32.ts'

/** So many blocks are inflated at once: 4 MiB plain at most. */
const batchBlocks = 64

export interface InflateOptions {
  /** An answer that is a header alone may end without the end-of-file marker. */
  readonly needsEof?: boolean
}

/**
 * Inflates BGZF (SAMv1 §4.1) as its bytes come, anywhere WebAssembly runs: BgzfReader, which says more of what is wrong,
 * needs `node:zlib`. A chunk is the receiver's to keep.
 * @throws HtsvaultError NOT_BGZF, BGZF_BAD_HEADER, BGZF_BAD_DATA, BGZF_CRC, BGZF_TRUNCATED, BGZF_NO_EOF
 */
export async function* inflateBgzf(
  chunks: AsyncIterable<Uint8Array>,
  { needsEof = true }: InflateOptions = {},
): AsyncGenerator<Uint8Array, void> {
  let held = new Uint8Array(0)
  let offset = 0
  let endsWithEof = false
  for await (const chunk of chunks) {
    held = held.length === 0 ? chunk.slice() : joined(held, chunk)
    for (;;) {
      const ends = wholeBlocks(held, offset)
      const size = ends.at(-1)
      if (size === undefined) break
      endsWithEof = isEof(held.subarray(ends.at(-2) ?? 0, size))
      const plain = inflate(held.subarray(0, size), ends, offset)
      held = held.subarray(size)
      offset += size
      if (plain.length > 0) yield plain
    }
  }
  if (held.length > 0) throw cutOff('BGZF_TRUNCATED', 'the answer ends in the middle of a BGZF block', offset)
  if (needsEof && !endsWithEof)
    throw cutOff('BGZF_NO_EOF', 'the answer does not end with the BGZF end-of-file marker', offset)
}

/** Where each of the first blocks that are whole ends, at most `batchBlocks`. */
function wholeBlocks(bytes: Uint8Array, offset: number): number[] {
  const ends: number[] = []
  for (let at = 0; ends.length < batchBlocks && at < bytes.length;) {
    const size = readBlockSize(bytes, at, bytes.length, offset + at)
    if (size === 0 || at + size > bytes.length) break
    at += size
    ends.push(at)
  }
  return ends
}

function inflate(blocks: Uint8Array, ends: readonly number[], offset: number): Uint8Array {
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength)
  let size = 0
  for (const end of ends) {
    const plainSize = view.getUint32(end - 4, true)
    if (plainSize > maxInflate) throw damaged(offset)
    size += plainSize
  }
  const plain = new Uint8Array(size)
  let start = 0
  let at = 0
  const ahead = new BlocksAhead()
  for (const end of ends) {
    const block = ahead.take(blocks, start, end - start)
    if (!block) throw damaged(offset + start)
    plain.set(block, at)
    if (crc32(plain, at, at + block.length) !== view.getUint32(end - trailerSize, true))
      throw new HtsvaultError('BGZF_CRC', 'a BGZF block does not have the checksum that it carries', {
        place: { offset: offset + start },
        hint: askAgain,
      })
    at += block.length
    start = end
  }
  return plain
}

const askAgain = 'Ask again; should it stay so, the file on the server is damaged.'

const damaged = (offset: number): HtsvaultError =>
  new HtsvaultError('BGZF_BAD_DATA', 'a BGZF block cannot be inflated', {
    place: { offset },
    hint: askAgain,
  })

const isEof = (block: Uint8Array): boolean =>
  block.length === eofMarker.length && block.every((byte, i) => byte === eofMarker[i])

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

const cutOff = (code: 'BGZF_TRUNCATED' | 'BGZF_NO_EOF', message: string, offset: number): HtsvaultError =>
  new HtsvaultError(code, message, { place: { offset }, hint: 'Ask again: something is missing at its end.' })
