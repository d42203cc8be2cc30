import type { VaultPorts } from '../VaultPorts.ts'
import { readManifest, maxManifestBytes } from '../Manifest.ts'
import { baseKey, isPartOf, manifestKey } from '../names.ts'
import type { LargePlan } from './LargePlan.ts'
import { WorkFolder } from './WorkFolder.ts'

/**
 * Leaves nothing of an ingest but what its manifest names, if it has one: safe at any time, and twice.
 * @throws HtsvaultError where the store does not answer: it is to be tried again
 */
export async function endWork(ports: VaultPorts, work: string): Promise<void> {
  const folder = new WorkFolder(ports, work)
  const plan = await folder.plan()
  if (plan) {
    await ports.vault.parts.abort(plan.body.key, plan.body.upload)
    await removeParts(ports, plan, await folder.generations())
  }
  await folder.remove()
}

async function removeParts({ vault }: VaultPorts, plan: LargePlan, generations: string[]): Promise<void> {
  const base = baseKey(plan.id, plan.format)
  const manifest = await vault.get(manifestKey(base), maxManifestBytes)
  const served = new Set<string>()
  if (manifest) {
    const { body, index, blockMap } = readManifest(manifest.bytes, manifestKey(base))
    for (const { key } of [body, index, blockMap]) served.add(key)
  }
  const ours = [plan.start.generation!, ...generations].map(generation => `${base}.${generation}`)
  for (const prefix of ours)
    for await (const { key } of vault.list(prefix))
      if (isPartOf(base, key) && !served.has(key)) await vault.delete(key)
}
