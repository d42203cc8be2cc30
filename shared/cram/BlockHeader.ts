import { corrupt } from './cramErrors.ts'
import { Cursor } from './Cursor.ts'

/** How a block's bytes are compressed (CRAMv3 §8.1). */
export const method = {
  raw: 0,
  gzip: 1,
  bzip2: 2,
  lzma: 3,
  rans4x8: 4,
  ransNx16: 5,
  arithmetic: 6,
  fqzcomp: 7,
  nameTokeniser: 8,
} as const

/** What a block holds (CRAMv3 §8.1). */
export const content = {
  fileHeader: 0,
  compressionHeader: 1,
  sliceHeader: 2,
  external: 4,
  core: 5,
} as const

export interface BlockHeader {
  readonly method: number
  readonly content: number
  readonly contentId: number
  /** Of the bytes as they are stored. */
  readonly size: number
  /** Of the bytes that they inflate to. */
  readonly rawSize: number
  /** Of the header itself, in bytes. */
  readonly headerBytes: number
}

/** The longest block header, in bytes. */
export const maxBlockHeaderBytes = 17

/** Reads a block's header (CRAMv3 §8). @throws HtsvaultError CRAM_CORRUPT */
export function readBlockHeader(bytes: Uint8Array): BlockHeader {
  const cursor = new Cursor(bytes)
  const method = cursor.uint8()
  const content = cursor.uint8()
  const contentId = cursor.itf8()
  const size = cursor.itf8()
  const rawSize = cursor.itf8()
  if (size < 0 || rawSize < 0) throw corrupt('a block has a negative size')
  if (method === 0 && size !== rawSize) throw corrupt('an uncompressed block has two different sizes')
  return { method, content, contentId, size, rawSize, headerBytes: cursor.at }
}
