import { crc32 } from 'node:zlib'
import { content } from '#shared/cram/BlockHeader.ts'
import { Cursor } from '#shared/cram/Cursor.ts'
import type { FileDefinition } from '#shared/cram/FileDefinition.ts'

/** Headers are looked for that fit this many bytes with the header of their first block: some 180 slices. */
export const findContainerBytes = 1024

/** Longer containers are not looked for. */
const maxLength = 1 << 30
const maxSlices = 180

/**
 * Where in `bytes` the first CRAM container begins, by the CRC32 of its header (version 3), and by a first block that
 * ends where the first slice begins; -1 where none does, but for the last `findContainerBytes`. `ended`: these, too.
 */
export function findContainer(bytes: Uint8Array, definition: FileDefinition, ended: boolean): number {
  const padded = ended ? new Uint8Array(bytes.length + findContainerBytes) : bytes
  if (ended) padded.set(bytes)
  const last = padded.length - findContainerBytes
  for (let at = 0; at < last; at++) {
    // Of most random numbers the highest byte is too high.
    if (padded[at + 3]! >= maxLength / 2 ** 24) continue
    if (isContainer(padded, at, definition.major, bytes.length)) return at
  }
  // Nothing follows the last container of a file: a shard may begin there.
  return ended && bytes.length === 0 ? 0 : -1
}

function isContainer(bytes: Uint8Array, from: number, major: number, end: number): boolean {
  const cursor = new Cursor(bytes, from)
  const length = cursor.int32()
  const refId = cursor.itf8()
  if (refId < -2) return false
  const start = cursor.itf8()
  const span = cursor.itf8()
  const records = cursor.itf8()
  if (start < 0 || span < 0 || records < 0) return false
  if (major >= 3) cursor.ltf8()
  else cursor.itf8()
  cursor.ltf8()
  const blocks = cursor.itf8()
  const slices = cursor.itf8()
  if (blocks < 1 || slices < 0 || slices > maxSlices || slices >= blocks + 1) return false
  let firstSlice = -1
  for (let i = 0; i < slices; i++) {
    const landmark = cursor.itf8()
    if (landmark < 0 || landmark > length) return false
    if (i === 0) firstSlice = landmark
  }
  const headerEnd = cursor.at
  if (major >= 3 && cursor.uint32() !== crc32(bytes.subarray(from, headerEnd))) return false
  if (cursor.at > end) return false
  if (slices === 0) return major >= 3
  const body = cursor.at
  cursor.uint8()
  if (cursor.uint8() !== content.compressionHeader) return false
  cursor.itf8()
  const size = cursor.itf8()
  cursor.itf8()
  return cursor.at - body + size + (major >= 3 ? 4 : 0) === firstSlice
}
