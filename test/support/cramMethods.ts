import { fileDefinitionBytes, readFileDefinition } from '#shared/cram/FileDefinition.ts'
import { readBlockHeader } from '#shared/cram/BlockHeader.ts'
import { readContainerHeader } from '#shared/cram/ContainerHeader.ts'

/** The compression methods of a file's blocks of one content, the header's container left out. */
export function methodsMet(file: Uint8Array, content: number): Set<number> {
  const definition = readFileDefinition(file.subarray(0, fileDefinitionBytes))
  const checksum = definition.major >= 3 ? 4 : 0
  const met = new Set<number>()
  for (let at = fileDefinitionBytes, first = true; at < file.length; first = false) {
    const container = readContainerHeader(file.subarray(at), definition)
    const start = at + container.headerBytes
    at = start + container.length
    if (first) continue
    for (let block = start; block < at;) {
      const header = readBlockHeader(file.subarray(block, at))
      if (header.content === content) met.add(header.method)
      block += header.headerBytes + header.size + checksum
    }
  }
  return met
}
