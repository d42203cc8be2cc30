import { segmentBytes } from '#shared/crypt4gh/sizes.ts'
import { planLarge } from '#shared/vault/large/planLarge.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

/** Parts of so many segments of 64 KiB, so many to a shard. */
export const cutsOf =
  (segments: number, shardParts = 1) =>
  () => ({ partBytes: segments * segmentBytes, shardParts })

/** Uploads a file and plans its ingest by shards of two segments, as the work `w`. */
export async function plannedWork(ports: VaultPorts, key: string, file: Uint8Array) {
  const { etag } = await ports.inbox.put(key, file)
  const ingest = { work: 'w', key, etag }
  const planned = await planLarge(ports, ingest, cutsOf(2))
  if (planned.state !== 'planned') throw new Error(planned.state)
  return { ingest, shards: planned.shards }
}
