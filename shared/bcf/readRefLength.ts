import { HtsvaultError } from '#shared/errors.ts'

/** Bytes of one value, by the type's number (VCFv4.3 §6.3.3); no others are in use. */
const widths: Record<number, number> = { 0: 0, 1: 1, 2: 2, 3: 4, 5: 4, 7: 1 }

/**
 * The length of the REF allele, in bases, of a record whose typed values are `bytes` from `at` to `end`: what
 * htslib takes for a record whose own rlen is negative.
 * @throws HtsvaultError BCF_RECORD_INVALID where ID or REF does not fit
 */
export function readRefLength(bytes: Uint8Array, at: number, end: number): number {
  const id = readSize(bytes, at, end)
  return readSize(bytes, id.next, end).count
}

interface TypedSize {
  /** How many values there are. */
  readonly count: number
  /** Behind the last of them. */
  readonly next: number
}

function readSize(bytes: Uint8Array, at: number, end: number): TypedSize {
  if (at >= end) throw misfit()
  const descriptor = bytes[at]!
  let count = descriptor >> 4
  let from = at + 1
  // 15 says that the count follows, as a typed integer of its own.
  if (count === 15) {
    const type = bytes[from]! & 15
    const width = widths[type]
    if (type < 1 || type > 3 || width === undefined || from + 1 + width > end) throw misfit()
    count = 0
    for (let i = width; i > 0; i--) count = count * 256 + bytes[from + i]!
    from += 1 + width
  }
  const width = widths[descriptor & 15]
  if (width === undefined || from + count * width > end) throw misfit()
  return { count, next: from + count * width }
}

const misfit = () =>
  new HtsvaultError('BCF_RECORD_INVALID', 'the ID or REF of a record does not fit into it', {
    hint: 'Make the file again: bcftools view -Ob -o NEW.bcf FILE',
  })
