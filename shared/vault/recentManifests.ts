import { LRUCache } from 'lru-cache'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import { findManifest } from './findManifest.ts'
import type { Manifest } from './Manifest.ts'
import { perStore } from './perStore.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'

/**
 * How old what a ticket is made from may be, in seconds: so long a file that was replaced or deleted may still get
 * tickets, whose URLs then say so (FILE_REPLACED). docs/decisions/0007-recent-manifests.md
 */
export const recentSeconds = 5

/** Of all manifests that are kept, about, in bytes. */
const maxBytes = 16 << 20

const recent = perStore(
  () =>
    new LRUCache<string, Manifest>({
      maxSize: maxBytes,
      sizeCalculation: sizeOf,
      ttl: recentSeconds * 1000,
      // By the clock, not by a clock that is read again once a timer has run.
      ttlResolution: 0,
    }),
)

/**
 * What `findManifest` finds, as it was at most `recentSeconds` ago. That there is none is looked up each time: a file
 * is there as soon as it was taken in.
 * @throws HtsvaultError MANIFEST_CORRUPT
 */
export async function recentManifest(
  vault: ObjectStore,
  id: string,
  formats: readonly Format[],
): Promise<Manifest | undefined> {
  const cache = recent(vault)
  const key = `${formats.join()} ${id}`
  const known = cache.get(key)
  if (known) return known
  const manifest = await findManifest(vault, id, formats)
  if (manifest) cache.set(key, manifest)
  return manifest
}

/** Forgets what is known of a file, in every format. */
export function forgetManifest(vault: ObjectStore, id: string): void {
  const cache = recent(vault)
  for (const key of [...cache.keys()]) if (key.endsWith(` ${id}`)) cache.delete(key)
}

/** About what a manifest takes: the Crypt4GH headers, which grow with the recipients, and the rest. */
function sizeOf({ body, index, blockMap }: Manifest): number {
  return [body, index, blockMap].reduce((sum, { header }) => sum + (header?.length ?? 0), 4096)
}
