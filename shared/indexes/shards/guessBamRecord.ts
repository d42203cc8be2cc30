import { fieldAt, fixedSize } from '#shared/bam/bamRecord.ts'
import { maxRecordSize } from '#shared/bgzf/BgzfRecordFeed.ts'
import { guessByChain } from './guessByChain.ts'
import type { GuessRecord } from './guessRecord.ts'

/** Guesses by lengths that fit each other, references that the header has, and a read name that is text. */
export const guessBamRecord = (references: number): GuessRecord =>
  guessByChain((view, at) => {
    if (at + fixedSize > view.byteLength) return -1
    const size = view.getInt32(at, true) + 4
    const refId = view.getInt32(at + fieldAt.refId, true)
    const nextRefId = view.getInt32(at + fieldAt.nextRefId, true)
    if (size < fixedSize || size > maxRecordSize) return 0
    if (refId < -1 || refId >= references || nextRefId < -1 || nextRefId >= references) return 0
    if (view.getInt32(at + fieldAt.pos, true) < -1 || view.getInt32(at + fieldAt.nextPos, true) < -1) return 0
    const nameSize = view.getUint8(at + fieldAt.nameSize)
    const bases = view.getInt32(at + fieldAt.bases, true)
    const operations = view.getUint16(at + fieldAt.cigarOps, true)
    if (nameSize < 2 || bases < 0) return 0
    if (fixedSize + nameSize + 4 * operations + ((bases + 1) >>> 1) + bases > size) return 0
    const nameEnd = at + fixedSize + nameSize - 1
    if (nameEnd >= view.byteLength) return -1
    for (let i = at + fixedSize; i < nameEnd; i++) {
      const letter = view.getUint8(i)
      if (letter < 33 || letter > 126) return 0
    }
    return view.getUint8(nameEnd) === 0 ? size : 0
  })
