import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { openHeader, type OpenedHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { pairsOf } from '../keyRing.ts'
import { storedSource } from '../openStored.ts'
import { sealedSource, type Seen } from '../openUpload.ts'
import type { KeyStore } from '../ports/KeyStore.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import type { LargePlan } from './LargePlan.ts'
import { workCorrupt } from './WorkFolder.ts'

/**
 * The plain bytes of the upload of a plan, whatever it came as.
 * @throws HtsvaultError WORK_CORRUPT, KEY_UNAVAILABLE
 */
export async function openPlanned(
  { inbox, keys }: VaultPorts,
  { upload, sealed }: LargePlan,
  seen?: Seen,
): Promise<ByteSource> {
  const stored = storedSource(inbox, upload)
  if (!sealed) return stored
  const opened = await openPlannedHeader(keys, sealed.header, upload.key)
  try {
    return sealedSource(stored, { opened, start: sealed.start }, seen)
  } finally {
    wipe(...opened.dataKeys)
  }
}

/**
 * Opens a header that a plan holds; whoever asked for it wipes its data keys.
 * @throws HtsvaultError WORK_CORRUPT where the vault's key does not open it; KEY_UNAVAILABLE
 */
export async function openPlannedHeader(keys: KeyStore, header: string, key: string): Promise<OpenedHeader> {
  const pairs = pairsOf(await keys.keyPair())
  try {
    return openHeader(readHeader(Buffer.from(header, 'base64')), pairs, nodeBackend)
  } catch (cause) {
    throw workCorrupt(key, cause)
  }
}
