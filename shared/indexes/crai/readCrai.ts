import { gunzipSync } from 'node:zlib'
import { HtsvaultError } from '#shared/errors.ts'

/** The lines of a CRAI, in the order of the file, a column each. */
export interface Crai {
  readonly length: number
  /** -1: unplaced. */
  readonly refIds: Int32Array
  /** First position, 1-based. */
  readonly starts: Float64Array
  /** In bases. */
  readonly spans: Float64Array
  /** Offset of the container in the file. */
  readonly containers: Float64Array
  /** Offset of the slice from the end of the container's header, in bytes. */
  readonly slices: Float64Array
  /** Of the slice, in bytes. */
  readonly sizes: Float64Array
}

/** The longest text that an index may inflate to, in bytes: some 15 million slices. */
const maxTextBytes = 1 << 29

/** A line takes twelve bytes at least. */
const minLineBytes = 12

/**
 * Reads a CRAI file (CRAMv3 §12), gzip-compressed or plain.
 * @throws HtsvaultError CRAI_CORRUPT with the line
 */
export function readCrai(bytes: Uint8Array): Crai {
  const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? inflate(bytes) : bytes
  const room = Math.ceil(text.length / minLineBytes)
  const columns = {
    refIds: new Int32Array(room),
    starts: new Float64Array(room),
    spans: new Float64Array(room),
    containers: new Float64Array(room),
    slices: new Float64Array(room),
    sizes: new Float64Array(room),
  }
  const { refIds, starts, spans, containers, slices, sizes } = columns
  const order = [refIds, starts, spans, containers, slices, sizes]
  let length = 0
  for (let at = 0; at < text.length; length++) {
    if (length === room) throw corrupt(length + 1)
    for (const [column, values] of order.entries()) {
      const negative = text[at] === 0x2d
      if (negative) at++
      let value = 0
      const first = at
      for (let digit; (digit = text[at]! - 0x30) >= 0 && digit <= 9; at++) value = value * 10 + digit
      const ended = column === 5 ? text[at] === 0x0a || at === text.length : text[at] === 0x09
      if (at === first || !ended || !Number.isSafeInteger(value) || (negative && column > 2))
        throw corrupt(length + 1)
      at++
      values[length] = negative ? -value : value
    }
    if (refIds[length]! < -1) throw corrupt(length + 1)
  }
  return {
    length,
    refIds: refIds.subarray(0, length),
    starts: starts.subarray(0, length),
    spans: spans.subarray(0, length),
    containers: containers.subarray(0, length),
    slices: slices.subarray(0, length),
    sizes: sizes.subarray(0, length),
  }
}

function inflate(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxTextBytes })
  } catch (cause) {
    throw new HtsvaultError('CRAI_CORRUPT', 'the CRAM index does not inflate', { hint, cause })
  }
}

const hint = 'Make the index again: samtools index FILE.cram'

const corrupt = (line: number) =>
  new HtsvaultError('CRAI_CORRUPT', 'a line of the CRAM index is not six numbers', { place: { line }, hint })
