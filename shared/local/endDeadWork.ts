import { HtsvaultError } from '#shared/errors.ts'
import { endWork } from '#shared/vault/large/endWork.ts'
import { workPrefix } from '#shared/vault/large/WorkFolder.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { isOfDeadProcess } from './processNames.ts'

/**
 * Leaves nothing of the large ingests whose processes are no more: their names (`newProcessName`) tell. Their uploads
 * wait in the inbox.
 * @param onError hears of work that cannot be ended: it is in nobody's way
 * @throws HtsvaultError STORE_UNAVAILABLE, STORE_FORBIDDEN where the vault cannot be listed
 */
export async function endDeadWork(ports: VaultPorts, onError: (error: HtsvaultError) => void): Promise<void> {
  const changed = new Map<string, number>()
  for await (const { key, modified } of ports.vault.list(workPrefix)) {
    const work = key.slice(workPrefix.length).split('/')[0]!
    changed.set(work, Math.max(changed.get(work) ?? 0, modified.getTime()))
  }
  for (const [work, at] of changed) {
    if (!isOfDeadProcess(work, () => at)) continue
    try {
      await endWork(ports, work)
    } catch (error) {
      if (!(error instanceof HtsvaultError)) throw error
      onError(error)
    }
  }
}
