import { randomUUID } from 'node:crypto'
import type { IngestEnd } from '../ingestUpload.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import { abandonLarge } from './abandonLarge.ts'
import type { LargeCuts } from './LargePlan.ts'
import { planLarge } from './planLarge.ts'
import { publishLarge } from './publishLarge.ts'
import { workShard } from './workShard.ts'

export interface ShardsOptions {
  /** What the work is called: a name of its own, without a slash. */
  readonly work?: string
  readonly cuts?: (size: number) => LargeCuts
  /** How many shards are worked on at once. */
  readonly workers?: number
  /** Does one shard: here, unless told. */
  readonly run?: (work: string, shard: number) => Promise<unknown>
  readonly progress?: (done: number, of: number) => void
}

/**
 * Takes one upload into the vault by shards, as the state machine of docs/architecture.md does on AWS: plan, workers,
 * publish; where one fails for good, no other shard is begun, and nothing is left.
 * @throws whatever is not the file's fault: the upload is to be tried again
 */
export async function ingestInShards(
  ports: VaultPorts,
  key: string,
  {
    work = randomUUID(),
    cuts,
    workers = 1,
    run = (of, shard) => workShard(ports, of, shard),
    progress,
  }: ShardsOptions = {},
): Promise<IngestEnd> {
  const upload = await ports.inbox.head(key)
  if (!upload) return { state: 'gone' }
  const ingest = { work, key, etag: upload.etag }
  try {
    const planned = await planLarge(ports, ingest, cuts)
    if (planned.state !== 'planned') return planned
    const { shards } = planned
    let next = 0
    let done = 0
    const worker = async () => {
      while (next < shards) {
        try {
          await run(work, next++)
        } catch (error) {
          next = shards
          throw error
        }
        progress?.(++done, shards)
      }
    }
    const ended = await Promise.allSettled(Array.from({ length: workers }, worker))
    for (const each of ended) if (each.status === 'rejected') throw each.reason
    return await publishLarge(ports, work)
  } catch (error) {
    await abandonLarge(ports, ingest)
    throw error
  }
}
