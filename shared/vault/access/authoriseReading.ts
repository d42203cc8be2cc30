import { HtsvaultError } from '#shared/errors.ts'
import { HtsgetError } from '#shared/htsget/HtsgetError.ts'
import { readDatasetSettings } from '../DatasetSettings.ts'
import type { Identity } from '../Identity.ts'
import { parseUploadKey } from '../names.ts'
import type { ObjectStore } from '../ports/ObjectStore.ts'
import { decideAccess } from './decideAccess.ts'

/**
 * How long, in seconds, what is handed out to this identity for a file may live; `Infinity` where nothing ends it.
 *
 * The dataset's settings alone decide, before anything else of the vault is looked at: whoever may not read learns
 * nothing of what files there are, not by the time it takes either.
 * @throws HtsgetError PermissionDenied; HtsvaultError of the store
 */
export async function authoriseReading(vault: ObjectStore, id: string, identity: Identity): Promise<number> {
  const now = Date.now() / 1000
  const decision = decideAccess(await grantsOf(vault, id), identity, now)
  const seconds = decision.allowed ? (decision.expires ?? Infinity) - now : 0
  if (seconds < 1) throw refused()
  return seconds
}

async function grantsOf(vault: ObjectStore, id: string) {
  try {
    const { dataset } = parseUploadKey(id)
    return (await readDatasetSettings(vault, dataset)).access
  } catch (error) {
    // No name that the vault could have, or settings that cannot be read: nobody may.
    if (error instanceof HtsvaultError && refusedBy.has(error.code)) throw refused(error)
    throw error
  }
}

const refusedBy = new Set([
  'NO_DATASET',
  'INVALID_NAME',
  'INVALID_KEY',
  'OBJECT_TOO_LARGE',
  'DATASET_SETTINGS_INVALID',
])

const refused = (cause?: unknown) =>
  new HtsgetError('PermissionDenied', 'there is no such file, or it is not for you to read', { cause })
