import { createHash } from 'node:crypto'
import type { IngestOutcome } from '#shared/vault/ingestUpload.ts'
import type { Manifest } from '#shared/vault/Manifest.ts'
import { openStored } from '#shared/vault/openStored.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

/** The manifest of a file that was taken in; any other end is an error of the test. */
export function manifestOf(end: IngestOutcome): Manifest {
  if (end.state !== 'served') throw new Error(JSON.stringify(end))
  return end.manifest
}

/** The plain bytes of one object of a file. */
export async function plainOf(
  ports: VaultPorts,
  manifest: Manifest,
  part: 'body' | 'index' | 'blockMap',
): Promise<Buffer> {
  const source = await openStored(ports, manifest[part])
  return Buffer.from(await source.read(0, source.size))
}

/** What a client can see of a file: equal for two that differ in nothing but in how they were taken in. */
export async function seenFile(ports: VaultPorts, manifest: Manifest) {
  const { records, unplacedRecords, references, format, formatVersion } = manifest
  return {
    body: createHash('sha256')
      .update(await plainOf(ports, manifest, 'body'))
      .digest('hex'),
    index: (await plainOf(ports, manifest, 'index')).toString('base64'),
    blockMap: (await plainOf(ports, manifest, 'blockMap')).toString('base64'),
    counts: { records, unplacedRecords, references, format, formatVersion },
  }
}
