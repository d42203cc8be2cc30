import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { openCrypt4ghSource } from '#shared/crypt4gh/openCrypt4ghSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { pairsOf } from './keyRing.ts'
import type { StoredObject } from './Manifest.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'
import type { VaultPorts } from './VaultPorts.ts'

/** An object of a store as a ByteSource: the bytes as they are kept, of that version alone. */
export const storedSource = (
  store: ObjectStore,
  { key, size, etag }: Pick<StoredObject, 'key' | 'size' | 'etag'>,
): ByteSource => ({
  size,
  read: (start, end) => store.read(key, start, end, etag),
  stream: (start, end, options) => store.stream(key, start, end, etag, options),
})

/**
 * The plain bytes of an object of the vault, opened with the manifest's header and the vault's key.
 * @throws HtsvaultError MANIFEST_CORRUPT where the lengths do not fit together, and what openHeader throws
 */
export async function openStored({ vault, keys }: VaultPorts, object: StoredObject): Promise<ByteSource> {
  const stored = storedSource(vault, object)
  if (object.header === undefined) return stored
  const header = readHeader(Buffer.from(object.header, 'base64'))
  const opened = openHeader(header, pairsOf(await keys.keyPair()), nodeBackend)
  const plain = openCrypt4ghSource(stored, opened, { headerLength: object.bodyOffset }, nodeBackend)
  if (plain.size !== object.plainSize)
    throw new HtsvaultError('MANIFEST_CORRUPT', 'the object is not as long as its manifest says', {
      place: { file: object.key },
    })
  return plain
}
