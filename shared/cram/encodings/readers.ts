import { corrupt, unsupported } from '../cramErrors.ts'
import { blocksOf, isConstant, type BlockId, type Encoding } from './Encoding.ts'
import { huffmanReader } from './huffman.ts'
import type { SliceData } from './SliceData.ts'

/** Reads the next value of a series of integers. */
export type ReadValue = () => number

/** Reads past the next byte array of a series and tells its length. */
export type SkipArray = () => number

/** Reads past that many bytes of a series. */
export type SkipBytes = (count: number) => void

/** Of an external block of integers (ITF8), or of bytes. @throws HtsvaultError CRAM_CORRUPT, CRAM_UNSUPPORTED */
export function valueReader(encoding: Encoding, data: SliceData, type: 'integer' | 'byte'): ReadValue {
  const bits = data.core
  switch (encoding.kind) {
    case 'external': {
      const { contentId } = encoding
      // The block is looked for when it is read: a slice without deletions need not have the block of their lengths.
      let block: ReturnType<SliceData['external']> | undefined
      if (type === 'byte') return () => (block ??= data.external(contentId)).uint8()
      return () => (block ??= data.external(contentId)).itf8()
    }
    case 'huffman': {
      if (isConstant(encoding)) {
        const [value] = encoding.symbols
        if (value !== undefined) return () => value
        return () => {
          throw corrupt('a record has a value of a series that is said to have none')
        }
      }
      return huffmanReader(encoding.symbols, encoding.lengths, bits)
    }
    case 'beta': {
      const { offset, bits: size } = encoding
      return () => bits.bits(size) - offset
    }
    case 'gamma': {
      const { offset } = encoding
      return () => {
        const size = bits.run(0)
        return 2 ** size + bits.bits(size) - offset
      }
    }
    case 'subexponential': {
      const { offset, k } = encoding
      return () => {
        const ones = bits.run(1)
        if (ones === 0) return bits.bits(k) - offset
        const size = ones + k - 1
        if (size > 31) throw corrupt('a value of the CORE block has more than 32 bits')
        return 2 ** size + bits.bits(size) - offset
      }
    }
    case 'arrayOfLength':
    case 'arrayToStop':
      throw corrupt('a series of single values is encoded as arrays')
    case 'other':
      throw unsupported(`a data series is in encoding ${encoding.id}, which is not read`)
  }
}

/**
 * Of a series of byte arrays. What is not in `used` blocks is not read at all.
 * @throws HtsvaultError CRAM_CORRUPT, CRAM_UNSUPPORTED
 */
export function arraySkipper(encoding: Encoding, data: SliceData, used: ReadonlySet<BlockId>): SkipArray {
  switch (encoding.kind) {
    case 'arrayToStop': {
      const { stop, contentId } = encoding
      return () => {
        const block = data.external(contentId)
        const end = block.bytes.indexOf(stop, block.at)
        if (end === -1) throw corrupt('a byte array of a slice does not end')
        const length = end - block.at
        block.at = end + 1
        return length
      }
    }
    case 'arrayOfLength': {
      const readLength = valueReader(encoding.length, data, 'integer')
      const skip = bytesSkipper(encoding.values, data, used)
      return () => {
        const length = readLength()
        if (length < 0) throw corrupt('a byte array of a slice has a negative length')
        skip(length)
        return length
      }
    }
    default: {
      // Arrays of one byte each: how htslib reads them.
      const read = valueReader(encoding, data, 'byte')
      return () => {
        read()
        return 1
      }
    }
  }
}

/** Of a series of bytes of which many are read at once. @throws HtsvaultError CRAM_CORRUPT, CRAM_UNSUPPORTED */
export function bytesSkipper(encoding: Encoding, data: SliceData, used: ReadonlySet<BlockId>): SkipBytes {
  if (!blocksOf(encoding).some(block => used.has(block))) return () => undefined
  if (encoding.kind === 'external') {
    const { contentId } = encoding
    return count => void data.external(contentId).take(count)
  }
  const read = valueReader(encoding, data, 'byte')
  return count => {
    for (let i = 0; i < count; i++) read()
  }
}
