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
      let records = 0
      while (records < enough && at < plain.length) {
        const size = sizeAt(view, at)
        // More bytes may tell of this one; but another one that is sure comes first.
        if (size < 0) at = Infinity
        if (size <= 0) break
        at += size
        records++
      }
      const isWhole = ended ? at === plain.length : at >= plain.length && records >= few
      if (records === enough || (records > 0 && isWhole)) return from
    }
    return ended ? plain.length : -1
  }
}
