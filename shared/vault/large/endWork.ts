import { HtsvaultError } from '#shared/errors.ts'
import { maxManifestBytes } from '../Manifest.ts'
import { baseKey, isPartOf, manifestKey } from '../names.ts'
import { isPreconditionFailed, placeManifest } from '../placeManifest.ts'
import type { ObjectStore } from '../ports/ObjectStore.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import type { LargePlan } from './LargePlan.ts'
import { WorkFolder, type DecidedPlan } from './WorkFolder.ts'

/**
 * Leaves nothing of an ingest but what its manifest names: safe at any time, beside whoever publishes it, and twice. Work
 * that is under way is abandoned; where publishing was decided, the manifest is written first.
 * @throws HtsvaultError where the store does not answer: it is to be tried again
 */
export async function endWork(ports: VaultPorts, work: string): Promise<void> {
  const folder = new WorkFolder(ports, work)
  const plan = await decidedPlan(folder)
  if (plan) {
    const served = await settled(ports, plan)
    await ports.vault.parts.abort(plan.body.key, plan.body.upload)
    await removeParts(ports, plan, await folder.generations(), served)
  }
  await folder.remove()
}

/** A plan that does not open names nothing: what it began is left to the store's own rules, and to the next ingest. */
const decidedPlan = (folder: WorkFolder): Promise<DecidedPlan | undefined> =>
  folder.decide({ state: 'abandoned' }).catch((error: unknown) => {
    if (isWorkCorrupt(error)) return undefined
    throw error
  })

/** The file's manifest, as text, when it is certain that no other one of this work can take its place. */
async function settled(ports: VaultPorts, { end, start, ...plan }: DecidedPlan): Promise<string> {
  const key = manifestKey(baseKey(plan.id, plan.format))
  const text = await manifestText(ports.vault, key)
  if (end.state === 'abandoned' || names(text, end.manifest.body.key)) return text
  await placeManifest(ports, end.manifest, start).catch((error: unknown) => {
    // Another file is there by now: that one stands.
    if (!isPreconditionFailed(error)) throw error
  })
  return manifestText(ports.vault, key)
}

async function manifestText(vault: ObjectStore, key: string): Promise<string> {
  const manifest = await vault.get(key, maxManifestBytes)
  return manifest ? new TextDecoder().decode(manifest.bytes) : ''
}

/** By its text: what a manifest names that this version cannot read is not for us to delete. */
const names = (manifest: string, key: string): boolean => manifest.includes(JSON.stringify(key))

async function removeParts(
  { vault }: VaultPorts,
  plan: LargePlan,
  generations: readonly string[],
  served: string,
): Promise<void> {
  const base = baseKey(plan.id, plan.format)
  const ours = [plan.start.generation!, ...generations].map(generation => `${base}.${generation}`)
  for (const prefix of ours)
    for await (const { key } of vault.list(prefix))
      if (isPartOf(base, key) && !names(served, key)) await vault.delete(key)
}

export const isWorkCorrupt = (error: unknown): boolean =>
  error instanceof HtsvaultError && error.code === 'WORK_CORRUPT'
