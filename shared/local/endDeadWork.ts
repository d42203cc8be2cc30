import { readdir, rmdir } from 'node:fs/promises'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import { endWork } from '#shared/vault/large/endWork.ts'
import { workPrefix } from '#shared/vault/large/WorkFolder.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { folderError, isAbsence } from './folderErrors.ts'
import { isOfDeadProcess } from './processNames.ts'

/**
 * Leaves nothing of the large ingests whose processes are no more: their names (`newProcessName`) tell. Their uploads
 * wait in the inbox.
 * @param dir the folder of the vault's store
 * @param onError hears of work that cannot be ended: it is in nobody's way
 * @throws HtsvaultError STORE_UNAVAILABLE, STORE_FORBIDDEN where the folder cannot be read
 */
export async function endDeadWork(
  dir: string,
  ports: VaultPorts,
  onError: (error: HtsvaultError) => void,
): Promise<void> {
  const all = join(dir, workPrefix)
  const works = await readdir(all).catch((error: unknown) => {
    if (isAbsence(error)) return []
    throw folderError(error, workPrefix)
  })
  for (const work of works) {
    const folder = join(all, work)
    if (!isOfDeadProcess(work, () => statSync(folder, { throwIfNoEntry: false })?.mtimeMs)) continue
    try {
      await endWork(ports, work)
    } catch (error) {
      if (!(error instanceof HtsvaultError)) throw error
      onError(error)
    }
    // Where something is left in it, it stays.
    await rmdir(folder).catch(() => undefined)
  }
}
