import type { Format } from '#shared/indexes/FileIndexer.ts'
import { maxManifestBytes, readManifest, type Manifest } from './Manifest.ts'
import { baseKey, isFileId, manifestKey } from './names.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'

/**
 * The manifest of a file by its htsget id, in the first of these formats that there is.
 * @throws HtsvaultError MANIFEST_CORRUPT
 */
export async function findManifest(
  vault: ObjectStore,
  id: string,
  formats: readonly Format[],
): Promise<Manifest | undefined> {
  if (!isFileId(id)) return undefined
  for (const format of formats) {
    const key = manifestKey(baseKey(id, format))
    const object = await vault.get(key, maxManifestBytes)
    if (object) return readManifest(object.bytes, key)
  }
  return undefined
}
