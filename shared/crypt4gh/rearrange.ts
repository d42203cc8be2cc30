import type { Backend } from './Backend.ts'
import { type EditList, keptRanges, throughEditList } from './editList.ts'
import { writeHeader } from './header/writeHeader.ts'
import type { OpenedHeader } from './header/openHeader.ts'
import type { KeyPair } from './keys/KeyPair.ts'
import { planSlice } from './planSlice.ts'
import { type CipherRange, type PlainRange, plainRange } from './sizes.ts'

export interface Rearrangement {
  /** What to keep, in bytes of what a reader sees now, the present edit list applied. */
  readonly ranges: readonly { readonly start: number; readonly end: number }[]
  /** Public keys of the new readers; packets of other readers do not fit the new body and are dropped. */
  readonly recipients: readonly Uint8Array[]
  readonly writer?: KeyPair | undefined
  /** Length of the plain bytes, before any edit list; Infinity (default) where it is not known yet. */
  readonly plainSize?: number
}

export interface Rearranged {
  readonly header: Uint8Array
  /** Whole segments of the present body, ascending: put one after the other they are the new body. */
  readonly body: readonly CipherRange[]
  readonly editList?: EditList
}

/**
 * Plans a file that shows only some ranges of another: a new header with an edit list, over whole segments that are
 * copied as they are. What is kept comes in the file's own order. Every data key is carried over.
 *
 * A recipient gets whole segments and the keys to them, so can see up to 65535 bytes around each range by leaving
 * the edit list out: where that matters, decrypt and encrypt anew.
 * @throws HtsvaultError KEY_INVALID, CRYPT4GH_HEADER_TOO_LARGE.
 */
export function rearrange(
  { dataKeys, editList }: OpenedHeader,
  { ranges, recipients, writer, plainSize = Infinity }: Rearrangement,
  backend: Backend,
): Rearranged {
  const kept = editList ? keptRanges(editList, plainSize) : [plainRange(0, plainSize)]
  const plain: PlainRange[] = throughEditList(ranges, kept)
  const slice = planSlice(plain, plainSize)
  return {
    header: writeHeader({ dataKeys, editList: slice.editList, recipients, writer }, backend),
    ...slice,
  }
}
