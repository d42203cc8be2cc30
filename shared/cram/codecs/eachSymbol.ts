import { corrupt } from '../cramErrors.ts'
import type { Cursor } from '../Cursor.ts'

/** Symbols in ascending order with runs: after two neighbours comes the number of those that follow them. */
export function eachSymbol(cursor: Cursor, read: (symbol: number) => void): void {
  let symbol = cursor.uint8()
  let run = 0
  do {
    read(symbol)
    if (run > 0) {
      run--
      symbol++
      if (symbol > 255) throw corrupt('the alphabet of a rANS block is over 256 symbols')
    } else {
      const next = cursor.uint8()
      if (next === symbol + 1) run = cursor.uint8()
      else if (next !== 0 && next <= symbol) throw corrupt('the alphabet of a rANS block is not in order')
      symbol = next
    }
  } while (symbol !== 0)
}
