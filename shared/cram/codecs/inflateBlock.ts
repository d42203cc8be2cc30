import { unzipSync } from 'node:zlib'
import { method, type BlockHeader } from '../BlockHeader.ts'
import { corrupt, tooLarge, unsupported } from '../cramErrors.ts'
import { inflatedLimit } from '../limits.ts'
import { decodeArithmetic } from './arithmetic.ts'
import { decodeBzip2 } from './bzip2.ts'
import { decodeRans4x8 } from './rans4x8.ts'
import { decodeRansNx16 } from './ransNx16.ts'
import { decodeXz } from './xz.ts'

/**
 * A block's bytes as they were before compression; `bytes` are as they are stored, and are given back where they
 * are not compressed.
 * @throws HtsvaultError CRAM_CORRUPT; CRAM_TOO_LARGE over `inflatedLimit`; CRAM_UNSUPPORTED for the methods of qualities
 * and of names, which no block that indexing reads may have
 */
export function inflateBlock(header: BlockHeader, bytes: Uint8Array): Uint8Array {
  const { rawSize } = header
  if (header.method === method.raw || rawSize === 0) return bytes.subarray(0, rawSize)
  const limit = inflatedLimit(bytes.length)
  if (rawSize > limit)
    throw tooLarge(`a block of ${bytes.length} bytes inflates to ${rawSize}, ${limit} are allowed`)
  switch (header.method) {
    case method.gzip:
      return gunzip(bytes, rawSize)
    case method.bzip2:
      return decodeBzip2(bytes, rawSize)
    case method.lzma:
      return decodeXz(bytes, rawSize)
    case method.rans4x8:
      return decodeRans4x8(bytes, rawSize)
    case method.ransNx16:
      return decodeRansNx16(bytes, rawSize)
    case method.arithmetic:
      return decodeArithmetic(bytes, rawSize)
    case method.fqzcomp:
    case method.nameTokeniser:
      throw unsupported('a block of positions is compressed by a method that is for qualities or names')
    default:
      throw corrupt('a block is compressed by a method that CRAM does not have')
  }
}

function gunzip(bytes: Uint8Array, rawSize: number): Uint8Array {
  let raw: Uint8Array
  try {
    raw = unzipSync(bytes, { maxOutputLength: rawSize, chunkSize: Math.max(64, Math.min(rawSize, 1 << 20)) })
  } catch (cause) {
    throw corrupt('a gzip block does not inflate to what it declares', cause)
  }
  if (raw.length !== rawSize) throw corrupt('a gzip block does not inflate to what it declares')
  return raw
}
