import { BgzfReader } from '#shared/bgzf/BgzfReader.ts'
import { readBlockHeader } from '#shared/cram/BlockHeader.ts'
import { readContainerHeader } from '#shared/cram/ContainerHeader.ts'
import { fileDefinitionBytes, readFileDefinition, type FileDefinition } from '#shared/cram/FileDefinition.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'

/** A BGZF block in which a record begins, or a CRAM container that holds one: whole, what a ticket can leave out. */
export interface RecordUnit {
  /** How many records begin in it. */
  readonly records: number
  /** In bytes of the file; of blocks, up to the next unit's. */
  readonly bytes: number
}

/** The units of a file, found by walking its records, without index, block map or scanner of ours. */
export function recordUnits(file: Uint8Array, format: Format): RecordUnit[] {
  return format === 'CRAM' ? containers(file) : blocks(file, format)
}

function containers(file: Uint8Array): RecordUnit[] {
  const definition = readFileDefinition(file)
  const units: RecordUnit[] = []
  for (let at = headerEnd(file, definition); at < file.length;) {
    const { headerBytes, length, records } = readContainerHeader(file.subarray(at), definition)
    const bytes = headerBytes + length
    if (records > 0) units.push({ records, bytes })
    at += bytes
  }
  return units
}

/** Where the container of the SAM header ends: htslib's of CRAM 2.1 says two bytes less than its block has. */
function headerEnd(file: Uint8Array, definition: FileDefinition): number {
  const container = readContainerHeader(file.subarray(fileDefinitionBytes), definition)
  const start = fileDefinitionBytes + container.headerBytes
  let at = start
  for (let i = 0; i < container.blocks; i++) {
    const { headerBytes, size } = readBlockHeader(file.subarray(at))
    at += headerBytes + size + (definition.major >= 3 ? 4 : 0)
  }
  return Math.max(at, start + container.length)
}

function blocks(file: Uint8Array, format: Exclude<Format, 'CRAM'>): RecordUnit[] {
  const parts: Uint8Array[] = []
  const borders: { offset: number; plain: number }[] = []
  let size = 0
  const reader = new BgzfReader((plain, offset) => {
    if (plain.length > 0) borders.push({ offset, plain: size })
    parts.push(plain.slice())
    size += plain.length
  })
  reader.push(file)
  reader.finish()
  const plain = Buffer.concat(parts)
  const units: { records: number; offset: number }[] = []
  let border = 0
  for (const start of recordStarts(plain, format)) {
    while ((borders[border + 1]?.plain ?? Infinity) <= start) border++
    const { offset } = borders[border]!
    const last = units[units.length - 1]
    if (last?.offset === offset) last.records++
    else units.push({ records: 1, offset })
  }
  return units.map(({ records, offset }, i) => ({
    records,
    bytes: (units[i + 1]?.offset ?? file.length) - offset,
  }))
}

/** Where each record begins in the plain bytes. */
function* recordStarts(plain: Buffer, format: Exclude<Format, 'CRAM'>): Generator<number> {
  if (format === 'VCF') {
    for (let at = 0; at < plain.length;) {
      const end = plain.indexOf(10, at)
      if (plain[at] !== 0x23) yield at
      at = end === -1 ? plain.length : end + 1
    }
    return
  }
  let at = format === 'BCF' ? 9 + plain.readUInt32LE(5) : bamHeaderLength(plain)
  while (at < plain.length) {
    yield at
    at +=
      format === 'BCF' ? 8 + plain.readUInt32LE(at) + plain.readUInt32LE(at + 4) : 4 + plain.readUInt32LE(at)
  }
}

function bamHeaderLength(plain: Buffer): number {
  let at = 8 + plain.readUInt32LE(4)
  const references = plain.readUInt32LE(at)
  at += 4
  for (let i = 0; i < references; i++) at += 8 + plain.readUInt32LE(at)
  return at
}
