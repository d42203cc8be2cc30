import { memorySource } from '#shared/bytes/ByteSource.ts'
import type { RecordColumns } from '#shared/columns/RecordColumns.ts'
import { CramScanner } from '#shared/cram/CramScanner.ts'
import type { FileDefinition } from '#shared/cram/FileDefinition.ts'
import { filterCram } from '#shared/cram/filter/filterCram.ts'

/** A whole CRAM file, sorted or not: its header, its containers filtered, its EOF container. */
export async function filterCramFile(
  file: Uint8Array,
  columns: RecordColumns,
  chunkBytes = 1 << 20,
): Promise<Buffer> {
  let prefix = new Uint8Array(0)
  let definition: FileDefinition = { major: 3, minor: 0 }
  const scanner = new CramScanner({
    header(found, _samHeader, bytes) {
      definition = found
      prefix = bytes.slice()
    },
    slice: () => undefined,
  })
  scanner.push(file)
  const eof = scanner.finish()
  const parts: Uint8Array[] = [prefix]
  const body = memorySource(file, chunkBytes).stream(prefix.length, eof.offset)
  for await (const part of filterCram(body, definition, columns)) parts.push(part)
  return Buffer.concat([...parts, eof.bytes])
}
