import type { GuessRecord } from './guessRecord.ts'

/** So many records that follow each other are no accident. */
const enough = 12

/** Where the bytes end within the chain, so many will do. */
const few = 3

/**
 * Guesses by a chain of records: `sizeAt` gives the length of the record that begins at `at`, as far as its fields
 * make sense and are there; 0 where they make none, -1 where bytes are lacking to tell.
 */
export function guessByChain(sizeAt: (view: DataView, at: number) => number): GuessRecord {
  return (plain, ended) => {
    const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength)
    for (let from = 0; from < plain.length; from++) {
      let at = from
      for (let records = 0; ; records++) {
        if (records === enough) return from
        if (at >= plain.length) {
          if (at === plain.length && ended && records > 0) return from
          if (!ended) return records >= few ? from : -1
          break
        }
        const size = sizeAt(view, at)
        if (size === 0) break
        if (size < 0) {
          if (!ended) return records >= few ? from : -1
          break
        }
        at += size
      }
    }
    return ended ? plain.length : -1
  }
}
