import { guessBamRecord } from './guessBamRecord.ts'
import { guessBcfRecord } from './guessBcfRecord.ts'
import { guessVcfLine } from './guessVcfLine.ts'
import type { ShardFacts } from './ShardTask.ts'

/**
 * Guesses where in plain bytes from somewhere in a file the first record begins: an offset in them, or -1 where more
 * are needed to tell. `ended`: the file ends with these bytes; their length is then an answer too: none begins.
 */
export type GuessRecord = (plain: Uint8Array, ended: boolean) => number

/** How to guess in a file with these facts. A wrong guess costs time, and no more: the merge finds it. */
export function guessRecord(facts: ShardFacts): GuessRecord {
  switch (facts.format) {
    case 'BAM':
      return guessBamRecord(facts.references)
    case 'BCF':
      return guessBcfRecord(facts)
    default:
      return guessVcfLine
  }
}
