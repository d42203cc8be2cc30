import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Reference } from '../FileIndexer.ts'
import { corrupt } from './corrupt.ts'
import type { Run } from './UnitTable.ts'
import { VarintReader } from './VarintReader.ts'
import { VarintWriter } from './VarintWriter.ts'

const maxPosition = 2 ** 32 - 1

/** Deflate makes at most 1,032 bytes of one. */
const maxInflation = 1032

/** What a map says of the whole file: its references, and which of them have records, in the file's order. */
export interface Summary {
  readonly references: readonly Reference[]
  readonly runs: readonly Run[]
}

export function writeSummary(
  references: readonly Reference[],
  runs: readonly Run[],
): { bytes: Uint8Array; plainLength: number } {
  const writer = new VarintWriter()
  const text = new TextEncoder()
  writer.varint(references.length)
  for (const { name, length } of references) {
    const bytes = text.encode(name)
    writer.varint(bytes.length)
    writer.bytes(bytes)
    writer.varint(length === undefined ? 0 : length + 1)
  }
  writer.varint(runs.length)
  let last = -1
  for (const { refId, beg, end } of runs) {
    writer.signed(refId - last)
    writer.varint(beg)
    writer.varint(end - beg - 1)
    last = refId
  }
  const plain = writer.take()
  return { bytes: deflateRawSync(plain, { level: 9 }), plainLength: plain.length }
}

/** @throws HtsvaultError BLOCK_MAP_CORRUPT */
export function readSummary(bytes: Uint8Array, plainLength: number): Summary {
  if (plainLength > bytes.length * maxInflation) throw corrupt('its summary is longer than it can be')
  let plain: Uint8Array
  try {
    plain = inflateRawSync(bytes, { maxOutputLength: Math.max(plainLength, 1) })
  } catch {
    throw corrupt('its summary does not inflate')
  }
  if (plain.length !== plainLength) throw corrupt('its summary has another length')

  const reader = new VarintReader(plain)
  const text = new TextDecoder('utf-8')
  const references: Reference[] = []
  for (let left = reader.count(2); left > 0; left--) {
    const name = text.decode(reader.bytes(reader.varint()))
    const length = reader.varint()
    references.push(length === 0 ? { name } : { name, length: length - 1 })
  }
  const runs: Run[] = []
  const seen = new Set<number>()
  let refId = -1
  for (let left = reader.count(3); left > 0; left--) {
    refId += reader.signed()
    const beg = reader.varint()
    const end = beg + 1 + reader.varint()
    if (refId < -1 || refId >= references.length || seen.has(refId) || end > maxPosition)
      throw corrupt('its summary makes no sense')
    seen.add(refId)
    runs.push({ refId, beg, end })
  }
  reader.end()
  return { references, runs }
}
