import { randomUUID } from 'node:crypto'
import type { IngestEnd } from '../ingestUpload.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import { abandonLarge } from './abandonLarge.ts'
import type { LargeCuts } from './LargePlan.ts'
import { planLarge } from './planLarge.ts'
import { publishLarge } from './publishLarge.ts'
import { workShard } from './workShard.ts'

export interface ShardsOptions {
  readonly cuts?: (size: number) => LargeCuts
  /** How many shards are worked on at once. */
  readonly workers?: number
  /** Does one shard: here, unless told. */
  readonly run?: (work: string, shard: number) => Promise<unknown>
  readonly progress?: (done: number, of: number) => void
}

/**
 * Takes one upload into the vault by shards, as the state machine of docs/architecture.md does on AWS: plan, workers,
 * publish; where one fails for good, nothing is left.
 * @throws whatever is not the file's fault: the upload is to be tried again
 */
export async function ingestInShards(
  ports: VaultPorts,
  key: string,
  { cuts, workers = 1, run = (work, shard) => workShard(ports, work, shard), progress }: ShardsOptions = {},
): Promise<IngestEnd> {
  const upload = await ports.inbox.head(key)
  if (!upload) return { state: 'gone' }
  const ingest = { work: randomUUID(), key, etag: upload.etag }
  try {
    const planned = await planLarge(ports, ingest, cuts)
    if (planned.state !== 'planned') return planned
    let next = 0
    let done = 0
    const worker = async () => {
      while (next < planned.shards) {
        await run(ingest.work, next++)
        progress?.(++done, planned.shards)
      }
    }
    const ended = await Promise.allSettled(Array.from({ length: workers }, worker))
    for (const each of ended) if (each.status === 'rejected') throw each.reason
    return await publishLarge(ports, ingest.work)
  } catch (error) {
    await abandonLarge(ports, ingest)
    throw error
  }
}
