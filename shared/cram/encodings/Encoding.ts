import { corrupt } from '../cramErrors.ts'
import { Cursor } from '../Cursor.ts'

/** How a data series' values are laid down in blocks (CRAMv3 §13). */
export type Encoding =
  | { readonly kind: 'external'; readonly contentId: number }
  | { readonly kind: 'huffman'; readonly symbols: readonly number[]; readonly lengths: readonly number[] }
  | { readonly kind: 'beta'; readonly offset: number; readonly bits: number }
  | { readonly kind: 'gamma'; readonly offset: number }
  | { readonly kind: 'subexponential'; readonly offset: number; readonly k: number }
  | { readonly kind: 'arrayOfLength'; readonly length: Encoding; readonly values: Encoding }
  | { readonly kind: 'arrayToStop'; readonly stop: number; readonly contentId: number }
  /** None, or one that is not read (GOLOMB and GOLOMB_RICE are deprecated; no reader has them). */
  | { readonly kind: 'other'; readonly id: number }

/** Reads an encoding's id, the length of its parameters, and these. @throws HtsvaultError CRAM_CORRUPT */
export function readEncoding(cursor: Cursor, depth = 0): Encoding {
  const id = cursor.itf8()
  const parameters = new Cursor(cursor.take(cursor.itf8()))
  switch (id) {
    case 1:
      return { kind: 'external', contentId: parameters.itf8() }
    case 3:
      return readHuffman(parameters)
    case 4: {
      if (depth > 0) throw corrupt('an encoding of arrays holds arrays')
      const length = readEncoding(parameters, depth + 1)
      return { kind: 'arrayOfLength', length, values: readEncoding(parameters, depth + 1) }
    }
    case 5:
      return { kind: 'arrayToStop', stop: parameters.uint8(), contentId: parameters.itf8() }
    case 6: {
      const offset = parameters.itf8()
      const bits = parameters.itf8()
      if (bits < 0 || bits > 32) throw corrupt('a BETA encoding has values of more than 32 bits')
      return { kind: 'beta', offset, bits }
    }
    case 7: {
      const offset = parameters.itf8()
      const k = parameters.itf8()
      if (k < 0 || k > 31) throw corrupt('a SUBEXP encoding has a parameter that cannot be')
      return { kind: 'subexponential', offset, k }
    }
    case 9:
      return { kind: 'gamma', offset: parameters.itf8() }
    default:
      return { kind: 'other', id }
  }
}

function readHuffman(parameters: Cursor): Encoding {
  const symbols: number[] = []
  for (let count = parameters.count('symbols'); count > 0; count--) symbols.push(parameters.itf8())
  const lengths: number[] = []
  for (let count = parameters.count('code lengths'); count > 0; count--) lengths.push(parameters.itf8())
  if (symbols.length !== lengths.length)
    throw corrupt('a HUFFMAN encoding has other numbers of symbols than of lengths')
  if (lengths.some(length => length < 0 || length > 31))
    throw corrupt('a HUFFMAN encoding has a code of more than 31 bits')
  return { kind: 'huffman', symbols, lengths }
}

/** Stands for the CORE block among the content ids of external ones. */
export const core = 'core'
export type BlockId = number | typeof core

/** The blocks from which an encoding's values are read; none where there is only one value, of no bits. */
export function blocksOf(encoding: Encoding): BlockId[] {
  switch (encoding.kind) {
    case 'external':
    case 'arrayToStop':
      return [encoding.contentId]
    case 'arrayOfLength':
      return [...blocksOf(encoding.length), ...blocksOf(encoding.values)]
    case 'huffman':
      return isConstant(encoding) ? [] : [core]
    case 'beta':
      return encoding.bits === 0 ? [] : [core]
    case 'gamma':
    case 'subexponential':
      return [core]
    case 'other':
      return []
  }
}

/**
 * One symbol with a code of no bits: the usual way to write a constant. Or no symbol: some writers give that to a
 * series without values.
 */
export const isConstant = ({ lengths }: Encoding & { kind: 'huffman' }): boolean =>
  lengths.length === 0 || (lengths.length === 1 && lengths[0] === 0)
