import { maxRecordSize } from '#shared/bgzf/BgzfRecordFeed.ts'
import type { BcfFacts } from '../scan/scanBcf.ts'
import { guessByChain } from './guessByChain.ts'
import type { GuessRecord } from './guessRecord.ts'

/** The two lengths, the fixed fields, and the type of the ID (VCFv4.3 §6.3.1). */
const headBytes = 33

/** Guesses by lengths, contigs and samples that the header has, counts that fit, and an ID that is text. */
export function guessBcfRecord({ contigs, samples }: BcfFacts): GuessRecord {
  const known = new Set(contigs)
  return guessByChain((view, at) => {
    if (at + headBytes > view.byteLength) return -1
    const shared = view.getUint32(at, true)
    const size = 8 + shared + view.getUint32(at + 4, true)
    if (shared < 25 || size > maxRecordSize || !known.has(view.getInt32(at + 8, true))) return 0
    if (view.getInt32(at + 12, true) < -1 || view.getInt32(at + 16, true) < -1) return 0
    const alleles = view.getUint16(at + 26, true)
    const fields = view.getUint16(at + 24, true)
    if ((view.getUint32(at + 28, true) & 0xffffff) !== samples) return 0
    if (alleles < 1 || alleles + 2 * fields > shared) return 0
    const type = view.getUint8(at + 32)
    return (type & 15) === 7 || type === 0 ? size : 0
  })
}
