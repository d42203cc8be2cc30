import type { ObjectStore } from '../ports/ObjectStore.ts'
import { workPrefix } from './WorkFolder.ts'

/** What nobody has written to for so long is of an ingest that died: none takes longer than half of it. */
const deadMs = 24 * 3600_000

/** Names of the large ingests under way of which something was written before `time`; both in milliseconds. */
export async function worksUnderWay(vault: ObjectStore, time: number, now: number): Promise<string[]> {
  const works = new Map<string, { oldest: number; newest: number }>()
  for await (const { key, modified } of vault.list(workPrefix)) {
    const [name = ''] = key.slice(workPrefix.length).split('/')
    const { oldest, newest } = works.get(name) ?? { oldest: Infinity, newest: 0 }
    const at = modified.getTime()
    works.set(name, { oldest: Math.min(oldest, at), newest: Math.max(newest, at) })
  }
  return [...works]
    .filter(([, { oldest, newest }]) => oldest < time && newest > now - deadMs)
    .map(([name]) => name)
}
