import { crc32, deflateRawSync, gunzipSync } from 'node:zlib'

/** The end-of-file marker: an empty BGZF block (SAMv1 §4.1.2). */
const emptyBlock = Buffer.from('1f8b08040000000000ff0600424302001b0003000000000000000000', 'hex')

export interface ReblockOptions {
  /** Plain bytes of block number `i`, 0 to 65536; 0 makes an empty block in the middle of the file. */
  readonly sizeOf: (block: number) => number
  /** zlib's level; 0 stores. */
  readonly level?: number
  /** Whether the end-of-file marker is written: yes unless told. */
  readonly eof?: boolean
}

/** Cuts plain bytes into a BGZF file at places that no usual writer chooses; written apart from `shared/bgzf`. */
export function reblock(plain: Uint8Array, { sizeOf, level = 6, eof = true }: ReblockOptions): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0, block = 0; at < plain.length; block++) {
    const size = sizeOf(block)
    blocks.push(size === 0 ? emptyBlock : bgzfBlock(plain.subarray(at, at + size), level))
    at += size
  }
  return Buffer.concat(eof ? [...blocks, emptyBlock] : blocks)
}

function bgzfBlock(plain: Uint8Array, level: number): Buffer {
  const deflated = deflateRawSync(plain, { level })
  const block = Buffer.alloc(18 + deflated.length + 8)
  if (block.length > 65536) throw new RangeError(`${plain.length} plain bytes do not fit a BGZF block`)
  emptyBlock.copy(block, 0, 0, 16)
  block.writeUInt16LE(block.length - 1, 16)
  deflated.copy(block, 18)
  block.writeUInt32LE(crc32(plain), block.length - 8)
  block.writeUInt32LE(plain.length, block.length - 4)
  return block
}

/** What a whole BGZF file inflates to. */
export const inflateBgzf = (file: Uint8Array): Buffer => gunzipSync(file)
