import { concatBytes } from './concatBytes.ts'

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

function int32s(...values: number[]): Uint8Array {
  const out = new Uint8Array(4 * values.length)
  const view = new DataView(out.buffer)
  values.forEach((value, i) => view.setInt32(4 * i, value, true))
  return out
}

/** The inflated header of a BAM file. */
export function bamHeader(
  references: readonly (readonly [name: string, length: number])[],
  text = '',
): Uint8Array {
  return concatBytes(
    latin1('BAM\x01'),
    int32s(text.length),
    latin1(text),
    int32s(references.length),
    ...references.flatMap(([name, length]) => [int32s(name.length + 1), latin1(`${name}\0`), int32s(length)]),
  )
}

export interface BamRecord {
  readonly refId?: number
  readonly pos?: number
  readonly flag?: number
  /** Operations as BAM packs them: length × 16 + code. */
  readonly cigar?: readonly number[]
  readonly bases?: number
  readonly nextRefId?: number
  readonly tags?: Uint8Array
  readonly name?: string
  /** Said in place of the real `block_size`. */
  readonly blockSize?: number
}

/** The inflated bytes of one BAM record, right or wrong as told. */
export function bamRecord(record: BamRecord): Uint8Array {
  const {
    refId = -1,
    pos = -1,
    flag = 0,
    cigar = [],
    bases = 0,
    nextRefId = -1,
    tags,
    name = 'r',
    blockSize,
  } = record
  const body = concatBytes(
    int32s(refId, pos, (name.length + 1) | (30 << 8), cigar.length | (flag << 16), bases, nextRefId, -1, 0),
    latin1(`${name}\0`),
    int32s(...cigar),
    new Uint8Array((bases + 1) >> 1),
    new Uint8Array(bases),
    tags ?? new Uint8Array(0),
  )
  return concatBytes(int32s(blockSize ?? body.length), body)
}
