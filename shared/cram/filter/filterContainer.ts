import { crc32 } from 'node:zlib'
import type { RecordColumns } from '#shared/columns/RecordColumns.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { content } from '../BlockHeader.ts'
import { tooLarge } from '../cramErrors.ts'
import { CramWriter } from '../CramWriter.ts'
import { Cursor } from '../Cursor.ts'
import { core } from '../encodings/Encoding.ts'
import type { FileDefinition } from '../FileDefinition.ts'
import { maxInflatedBytes } from '../limits.ts'
import { idOf, readContainer, type Container, type Slice } from './Container.ts'
import { cramFlag, CramFlags } from './CramFlags.ts'
import {
  readCompressionMaps,
  writeCompressionMaps,
  type CompressionMaps,
  type StoredEncoding,
} from './CompressionMaps.ts'
import { constant, oneByteArrays } from './encodings.ts'
import { planFilter, unknownByte, type FilterPlan } from './planFilter.ts'
import { readTagLines, writeTagLines } from './tagLines.ts'
import { writeConstantBlock, writeExternalBlock, writeHeaderBlock } from './writeBlock.ts'

/**
 * A whole data container without what `columns` does not ask for: the blocks of data series and tags that nobody
 * reads are left out, and their encodings give a constant that means «not known». No record is decoded, and what is
 * kept is kept byte for byte. A container from which nothing can go, or that cannot be read, is given back as it is.
 */
export function filterContainer(
  bytes: Uint8Array,
  definition: FileDefinition,
  columns: RecordColumns,
): Uint8Array {
  try {
    const container = readContainer(bytes, definition)
    if (container.slices.length === 0) return bytes
    const maps = readCompressionMaps(container.compression)
    const flags = new CramFlags(container, maps, definition)
    const plan = planFilter(maps, container.header.refId, definition, flags, columns)
    if (!plan) return bytes
    checkConstants(container, plan, definition)
    const filtered = rewrite(bytes, container, maps, flags, plan, definition)
    return filtered.length < bytes.length ? filtered : bytes
  } catch (error) {
    if (error instanceof HtsvaultError) return bytes
    throw error
  }
}

/** In version 2 the bytes of constant blocks are written out. */
function checkConstants({ slices }: Container, plan: FilterPlan, { major }: FileDefinition): void {
  if (major >= 3) return
  let total = 0
  for (const { header, blocks } of slices) {
    if (plan.names) total += header.records
    for (const block of blocks)
      if (block.header.content === content.external && plan.constants.has(block.header.contentId))
        total += block.header.rawSize
  }
  if (total > maxInflatedBytes) throw tooLarge('the constant blocks of a container are too long')
}

function rewrite(
  bytes: Uint8Array,
  container: Container,
  maps: CompressionMaps,
  flags: CramFlags,
  plan: FilterPlan,
  definition: FileDefinition,
): Uint8Array {
  const namesId = unusedId(container, plan)
  const compression = writeCompressionMaps(changeMaps(maps, flags, plan, namesId))
  const parts = [writeHeaderBlock(definition, content.compressionHeader, compression)]
  const landmarks: number[] = []
  let size = parts[0]!.length
  let blocks = 1
  for (const [i, slice] of container.slices.entries()) {
    landmarks.push(size)
    const rewritten = rewriteSlice(slice, i, flags, plan, definition, namesId)
    for (const part of rewritten) size += part.length
    blocks += rewritten.length
    parts.push(...rewritten)
  }
  return Buffer.concat([writeContainerHeader(bytes, definition, size, blocks, landmarks), ...parts])
}

/** A content id that neither a block nor an encoding has. */
function unusedId({ slices }: Container, { used }: FilterPlan): number {
  const taken = new Set(used)
  for (const { blocks } of slices) for (const block of blocks) taken.add(idOf(block))
  let id = 1
  while (taken.has(id)) id++
  return id
}

/** The codes of substitutions (CRAMv3 §10.6.4): code 0 is N instead of any base but N itself. */
const allUnknown = Uint8Array.from([0x6c, 0x6c, 0x6c, 0x6c, 0x1b])

function changeMaps(
  maps: CompressionMaps,
  flags: CramFlags,
  plan: FilterPlan,
  namesId: number,
): CompressionMaps {
  const preservation = new Map(maps.preservation)
  const series = new Map(maps.series)
  const lines = readTagLines(maps).map(line => line.filter(tag => !plan.tags.has(tag)))
  if (preservation.has('TD')) preservation.set('TD', writeTagLines(plan.tagLines ? [[]] : lines))
  const replace = (key: string, encoding: StoredEncoding) => series.has(key) && series.set(key, encoding)
  const unknown = (key: keyof typeof unknownByte) => {
    // What is not constant has a block that will be.
    if (series.get(key)?.encoding.kind === 'huffman') series.set(key, constant(unknownByte[key]))
  }
  if (plan.names) {
    preservation.set('RN', Uint8Array.of(1))
    series.set('RN', oneByteArrays(namesId))
  }
  if (plan.mappingQualities) replace('MQ', constant(255))
  if (plan.qualities) unknown('QS')
  if (plan.readGroups) replace('RG', constant(-1))
  if (plan.tagLines) replace('TL', constant(0))
  if (plan.bases) {
    unknown('BS')
    unknown('BA')
    series.set('CF', flags.withAdded(cramFlag.noBases))
    preservation.set('RR', Uint8Array.of(0))
    preservation.set('SM', allUnknown)
  }
  return {
    preservation,
    series,
    tags: new Map([...maps.tags].filter(([tag]) => !plan.tags.has(tag))),
  }
}

/** The slice's header block and data blocks. */
function rewriteSlice(
  { header, headerBytes, blocks }: Slice,
  index: number,
  flags: CramFlags,
  plan: FilterPlan,
  definition: FileDefinition,
  namesId: number,
): Uint8Array[] {
  const { ids, reference, before, digest } = readSliceFields(headerBytes, definition)
  const changedFlags = plan.bases ? flags.blockWith(cramFlag.noBases) : undefined
  const left = new Set(plan.blocks)
  if (plan.bases && reference >= 0 && !plan.used.has(reference)) left.add(reference)
  const parts: Uint8Array[] = []
  for (const block of blocks) {
    const id = idOf(block)
    const byte = id === core ? undefined : plan.constants.get(id)
    if (id === core) parts.push(block.bytes)
    else if (left.has(id)) continue
    else if (byte !== undefined) parts.push(writeConstantBlock(definition, id, byte, block.header.rawSize))
    else if (id === changedFlags?.contentId)
      parts.push(writeExternalBlock(definition, id, changedFlags.raw(index)))
    else parts.push(block.bytes)
  }
  if (plan.names) parts.push(writeConstantBlock(definition, namesId, 0x2a, header.records))

  const kept = [...ids.filter(id => !left.has(id)), ...(plan.names ? [namesId] : [])]
  const writer = new CramWriter().put(before).itf8(parts.length).itf8(kept.length)
  for (const id of kept) writer.itf8(id)
  // The optional tags that may follow are digests of what is not there any more.
  writer.itf8(plan.bases ? -1 : reference).put(plan.bases ? new Uint8Array(16) : digest)
  return [writeHeaderBlock(definition, content.sliceHeader, writer.take()), ...parts]
}

/** A slice header's fields (CRAMv3 §8.5): those up to the number of blocks as they stand. */
function readSliceFields(bytes: Uint8Array, { major }: FileDefinition) {
  const cursor = new Cursor(bytes)
  for (let field = 0; field < 4; field++) cursor.itf8()
  if (major >= 3) cursor.ltf8()
  else cursor.itf8()
  const before = bytes.subarray(0, cursor.at)
  cursor.itf8()
  const ids: number[] = []
  for (let count = cursor.count('block ids'); count > 0; count--) ids.push(cursor.itf8())
  return { before, ids, reference: cursor.itf8(), digest: cursor.take(16) }
}

/** The container's header, with another length, number of blocks, and landmarks (CRAMv3 §7). */
function writeContainerHeader(
  old: Uint8Array,
  { major }: FileDefinition,
  size: number,
  blocks: number,
  landmarks: readonly number[],
): Uint8Array {
  const cursor = new Cursor(old)
  cursor.int32()
  for (let field = 0; field < 4; field++) cursor.itf8()
  if (major >= 3) cursor.ltf8()
  else cursor.itf8()
  cursor.ltf8()
  const writer = new CramWriter()
    .uint32(size)
    .put(old.subarray(4, cursor.at))
    .itf8(blocks)
    .itf8(landmarks.length)
  for (const landmark of landmarks) writer.itf8(landmark)
  if (major >= 3) writer.uint32(crc32(writer.take()))
  return writer.take()
}
