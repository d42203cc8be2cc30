import type { IngestEnd } from '../ingestUpload.ts'
import { isPreconditionFailed } from '../placeManifest.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import { endWork, isWorkCorrupt } from './endWork.ts'
import type { LargeIngest } from './planLarge.ts'
import { publishLarge } from './publishLarge.ts'
import { WorkFolder } from './WorkFolder.ts'

/**
 * Gives an ingest up whose steps failed for good, and leaves nothing of it: whatever still runs of it publishes nothing
 * any more. `failed`: the upload still waits, and somebody is to be told; `gone`: it was deleted or replaced in the
 * meantime, so nothing is lost. An ingest whose publication is decided is not given up, but brought to its end.
 * @throws HtsvaultError where the store does not answer: it is to be tried again
 */
export async function abandonLarge(
  ports: VaultPorts,
  { work, key, etag }: LargeIngest,
): Promise<IngestEnd | { readonly state: 'failed' }> {
  if (await isPublished(ports, work))
    try {
      return await publishLarge(ports, work)
    } catch (error) {
      // Another file took its place.
      if (!isPreconditionFailed(error)) throw error
    }
  await endWork(ports, work)
  const upload = await ports.inbox.head(key)
  return { state: upload?.etag === etag ? 'failed' : 'gone' }
}

async function isPublished(ports: VaultPorts, work: string): Promise<boolean> {
  try {
    const plan = await new WorkFolder(ports, work).decide({ state: 'abandoned' })
    return plan?.end.state === 'published'
  } catch (error) {
    if (isWorkCorrupt(error)) return false
    throw error
  }
}
