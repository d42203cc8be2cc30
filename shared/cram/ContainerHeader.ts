import { crc32 } from 'node:zlib'
import { badCrc, corrupt, tooLarge } from './cramErrors.ts'
import { Cursor } from './Cursor.ts'
import type { FileDefinition } from './FileDefinition.ts'
import { maxSlices } from './limits.ts'

/** The reference ids of containers and slices that are not on one reference (CRAMv3 §7). */
export const unplaced = -1
export const severalReferences = -2

export interface ContainerHeader {
  /** Of the header itself, in bytes. */
  readonly headerBytes: number
  /** Of what follows the header, in bytes. */
  readonly length: number
  /** `unplaced`, `severalReferences`, or an index into the header's references. */
  readonly refId: number
  /** First position, 1-based. */
  readonly start: number
  /** In bases. */
  readonly span: number
  readonly records: number
  readonly blocks: number
  /** Where each slice begins, in bytes from the end of this header. */
  readonly landmarks: readonly number[]
}

/** All fields but the landmarks fit in so many bytes. */
export const containerHeaderPeek = 64

/** As many bytes as a header may have whose first `containerHeaderPeek` (or all that is left) are given. */
export function containerHeaderLimit(bytes: Uint8Array, { major }: FileDefinition): number {
  const { slices, at } = readFields(bytes, major)
  return at + 5 * slices + 4
}

/**
 * Reads a container header (CRAMv3 §7) from bytes that hold all of it, and checks its CRC32 (version 3).
 * @throws HtsvaultError CRAM_CORRUPT, CRAM_CRC, CRAM_TOO_LARGE
 */
export function readContainerHeader(bytes: Uint8Array, { major }: FileDefinition): ContainerHeader {
  const { slices, at, ...fields } = readFields(bytes, major)
  const cursor = new Cursor(bytes, at)
  const landmarks: number[] = []
  for (let i = 0; i < slices; i++) landmarks.push(cursor.itf8())
  if (major >= 3) {
    const sum = crc32(bytes.subarray(0, cursor.at))
    if (cursor.uint32() !== sum) throw badCrc('a container header')
  }
  if (fields.length < 0) throw corrupt('a container has a negative length')
  return { ...fields, landmarks, headerBytes: cursor.at }
}

function readFields(bytes: Uint8Array, major: number) {
  const cursor = new Cursor(bytes)
  const length = cursor.int32()
  const refId = cursor.itf8()
  const start = cursor.itf8()
  const span = cursor.itf8()
  const records = cursor.itf8()
  if (major >= 3) cursor.ltf8()
  else cursor.itf8()
  cursor.ltf8()
  const blocks = cursor.itf8()
  const slices = cursor.itf8()
  if (slices < 0) throw corrupt('a container has a negative number of slices')
  if (slices > maxSlices) throw tooLarge(`a container has ${slices} slices, ${maxSlices} are allowed`)
  return { length, refId, start, span, records, blocks, slices, at: cursor.at }
}

/** Whether this is the header of the container that marks the end of a file (CRAMv3 §9): `EOF` as its position. */
export const marksEnd = ({ refId, start, records, length }: ContainerHeader): boolean =>
  refId === unplaced && start === 0x454f46 && records === 0 && length <= 64
