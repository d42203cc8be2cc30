import type { VaultPorts } from '../VaultPorts.ts'
import { endWork } from './endWork.ts'
import type { LargeIngest } from './planLarge.ts'

/**
 * Gives an ingest up whose steps failed for good, and leaves nothing of it. `failed`: the upload still waits, and
 * somebody is to be told; `gone`: it was deleted or replaced in the meantime, so nothing is lost.
 * @throws HtsvaultError where the store does not answer: it is to be tried again
 */
export async function abandonLarge(
  ports: VaultPorts,
  { work, key, etag }: LargeIngest,
): Promise<{ readonly state: 'failed' | 'gone' }> {
  await endWork(ports, work)
  const upload = await ports.inbox.head(key)
  return { state: upload?.etag === etag ? 'failed' : 'gone' }
}
