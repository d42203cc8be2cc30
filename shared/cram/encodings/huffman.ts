import { corrupt } from '../cramErrors.ts'
import type { BitReader } from './BitReader.ts'

/** Reads values of a canonical Huffman code (CRAMv3 §13.3): codes are given out by length, then by symbol. */
export function huffmanReader(
  symbols: readonly number[],
  lengths: readonly number[],
  bits: BitReader,
): () => number {
  const order = symbols.map((_, i) => i)
  order.sort((a, b) => lengths[a]! - lengths[b]! || symbols[a]! - symbols[b]!)
  const sorted = Int32Array.from(order, i => symbols[i]!)
  const longest = lengths[order.at(-1)!]!
  // For each length its first code, how many there are, and the place of the first one's symbol.
  const first = new Float64Array(longest + 1)
  const counts = new Int32Array(longest + 1)
  const places = new Int32Array(longest + 1)
  for (const length of lengths) counts[length]!++
  let code = 0
  let place = 0
  for (let length = 0; length <= longest; length++) {
    code *= 2
    first[length] = code
    places[length] = place
    code += counts[length]!
    place += counts[length]!
    if (code > 2 ** length) throw corrupt('a HUFFMAN encoding has more codes than fit their lengths')
  }
  return () => {
    let value = 0
    for (let length = 0; ;) {
      const within = value - first[length]!
      if (within < counts[length]!) return sorted[places[length]! + within]!
      if (++length > longest) throw corrupt('the CORE block holds a code that its encoding has not')
      value = value * 2 + bits.bit()
    }
  }
}
