import { CramWriter } from '../CramWriter.ts'
import { Cursor } from '../Cursor.ts'
import { blocksOf, core, readEncoding, type BlockId, type Encoding } from '../encodings/Encoding.ts'
import type { StoredEncoding } from './CompressionMaps.ts'

/** CRAM's numbers of encodings (CRAMv3 §13). */
const id = { none: 0, external: 1, golomb: 2, huffman: 3, arrayOfLength: 4, beta: 6, golombRice: 8 } as const

const stored = (bytes: Uint8Array): StoredEncoding => ({
  bytes,
  encoding: readEncoding(new Cursor(bytes)),
})

function sized(number: number, parameters: CramWriter): Uint8Array {
  return new CramWriter().itf8(number).itf8(parameters.size).put(parameters.take()).take()
}

export function huffman(symbols: readonly number[], lengths: readonly number[]): StoredEncoding {
  const parameters = new CramWriter().itf8(symbols.length)
  for (const symbol of symbols) parameters.itf8(symbol)
  parameters.itf8(lengths.length)
  for (const length of lengths) parameters.itf8(length)
  return stored(sized(id.huffman, parameters))
}

/** The same value for every record, in no bits. */
export const constant = (value: number): StoredEncoding => huffman([value], [0])

export const beta = (offset: number, bits: number): StoredEncoding =>
  stored(sized(id.beta, new CramWriter().itf8(offset).itf8(bits)))

/** Arrays of one byte each, from an external block. */
export function oneByteArrays(contentId: number): StoredEncoding {
  const values = sized(id.external, new CramWriter().itf8(contentId))
  return stored(sized(id.arrayOfLength, new CramWriter().put(constant(1).bytes).put(values)))
}

/** The blocks that an encoding reads; undefined where that is not known. */
export function blocksRead(encoding: Encoding): readonly BlockId[] | undefined {
  switch (encoding.kind) {
    case 'other':
      if (encoding.id === id.none) return []
      return encoding.id === id.golomb || encoding.id === id.golombRice ? [core] : undefined
    case 'arrayOfLength': {
      const length = blocksRead(encoding.length)
      const values = blocksRead(encoding.values)
      return length && values && [...length, ...values]
    }
    default:
      return blocksOf(encoding)
  }
}
