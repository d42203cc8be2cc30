import { corruptHeader, unsupportedMethod } from '../errors.ts'
import type { EditList } from '../editList.ts'

/** What a packet says to the reader it is for (spec §3.2.2). */
export type Payload =
  | { readonly kind: 'dataKey'; readonly dataKey: Uint8Array }
  | { readonly kind: 'editList'; readonly editList: EditList }

/**
 * Reads an opened packet by its fields: padding may follow them. A data key is copied out, so that the payload can be
 * wiped.
 * @throws HtsvaultError CRYPT4GH_METHOD_UNSUPPORTED, CRYPT4GH_HEADER_CORRUPT.
 */
export function readPayload(bytes: Uint8Array): Payload {
  if (bytes.length < 8) throw corruptHeader(`a header packet whose content has ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const type = view.getUint32(0, true)
  const second = view.getUint32(4, true)
  if (type === 0) {
    if (second !== 0) throw unsupportedMethod(`data encryption method ${second}; method 0 is read here`)
    if (bytes.length < 40) throw corruptHeader('a data key packet that is too short for its key')
    return { kind: 'dataKey', dataKey: Uint8Array.from(bytes.subarray(8, 40)) }
  }
  if (type === 1) {
    if (second > (bytes.length - 8) / 8)
      throw corruptHeader(`an edit list of ${second} lengths in a packet that has no room for them`)
    return {
      kind: 'editList',
      editList: Array.from({ length: second }, (_, i) => readLength(view, 8 + 8 * i)),
    }
  }
  throw unsupportedMethod(`a header packet of type ${type}; types 0 and 1 are read here`)
}

/** A u64 as a number: beyond 2^53 it is past the end of any file anyway, and stays so as the largest safe number. */
function readLength(view: DataView, at: number): number {
  const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
  return Math.min(value, Number.MAX_SAFE_INTEGER)
}

export function writePayload(payload: Payload): Uint8Array {
  if (payload.kind === 'dataKey') {
    const bytes = new Uint8Array(40)
    bytes.set(payload.dataKey, 8)
    return bytes
  }
  const { editList } = payload
  const bytes = new Uint8Array(8 + 8 * editList.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 1, true)
  view.setUint32(4, editList.length, true)
  editList.forEach((length, i) => view.setBigUint64(8 + 8 * i, BigInt(length), true))
  return bytes
}
