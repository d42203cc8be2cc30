import { createHash, type Hash } from 'node:crypto'
import { HtsvaultError } from '#shared/errors.ts'
import { createShardIndexer } from '#shared/indexes/shards/createShardIndexer.ts'
import type { ShardResult } from '#shared/indexes/shards/ShardResult.ts'
import type { ShardTask } from '#shared/indexes/shards/ShardTask.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import { shardTask, type LargePlan } from './LargePlan.ts'
import { PartWriter } from './PartWriter.ts'
import { WorkFolder } from './WorkFolder.ts'

/** How many bytes behind a shard are asked for at once, at first and at most. */
const firstReach = 1 << 18
const lastReach = 1 << 24

/**
 * Does one shard of a large file: writes its parts of the body, and keeps what it found for the merge. Safe to repeat
 * and to run twice at once: what it writes takes the place of its equals.
 *
 * `gone`: the upload is no longer the one that was planned for, or the work has ended.
 * @throws whatever is not the file's fault; what is wrong with the file the merge finds in the result
 */
export async function workShard(
  ports: VaultPorts,
  work: string,
  shard: number,
): Promise<{ readonly state: 'done' | 'gone' }> {
  const folder = new WorkFolder(ports, work)
  try {
    const plan = await folder.plan()
    if (!plan || plan.end) return { state: 'gone' }
    const digests = new PartDigests(plan.partBytes)
    const body = await PartWriter.open(ports, plan, shard)
    const result = await indexShard(ports, plan, shardTask(plan, shard), async chunk => {
      digests.push(chunk)
      await body.write(chunk)
    })
    await body.finish()
    const kept = await folder.addShard(shard, { result, digests: digests.finish() })
    return { state: kept ? 'done' : 'gone' }
  } catch (error) {
    if (isReplaced(error)) return { state: 'gone' }
    throw error
  }
}

/** Whether an upload is not there any more, or another one is. */
export const isReplaced = (error: unknown): boolean =>
  error instanceof HtsvaultError && (error.code === 'OBJECT_CHANGED' || error.code === 'OBJECT_GONE')

/**
 * Indexes a shard of an upload.
 * @param own is given the bytes of the shard itself, in order.
 */
export async function indexShard(
  { inbox }: VaultPorts,
  { upload }: LargePlan,
  task: ShardTask,
  own?: (chunk: Uint8Array) => Promise<void>,
): Promise<ShardResult> {
  const { key, size, etag } = upload
  const indexer = createShardIndexer(task)
  let wants = true
  const { range } = task
  const begin = own ? range.start : indexer.from
  let at = begin
  if (begin < range.end)
    for await (const chunk of inbox.stream(key, begin, range.end, etag, { reuse: true })) {
      // A start that is known may lie within the shard.
      const skip = Math.min(Math.max(0, indexer.from - at), chunk.length)
      if (wants && skip < chunk.length) wants = indexer.push(chunk.subarray(skip))
      at += chunk.length
      await own?.(chunk)
      if (!wants && !own) break
    }
  at = Math.max(range.end, indexer.from)
  for (let reach = firstReach; wants && at < size; reach = Math.min(2 * reach, lastReach)) {
    const end = Math.min(at + reach, size)
    for await (const chunk of inbox.stream(key, at, end, etag, { reuse: true })) {
      wants = indexer.push(chunk)
      if (!wants) break
    }
    at = end
  }
  return indexer.finish()
}

/** The SHA-256 of each stretch of so many bytes. */
class PartDigests {
  readonly #partBytes: number
  readonly #done: Buffer[] = []
  #hash: Hash | undefined
  #left = 0

  constructor(partBytes: number) {
    this.#partBytes = partBytes
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (!this.#hash) {
        this.#hash = createHash('sha256')
        this.#left = this.#partBytes
      }
      const piece = chunk.subarray(at, at + this.#left)
      this.#hash.update(piece)
      this.#left -= piece.length
      at += piece.length
      if (this.#left === 0) this.#end()
    }
  }

  finish(): Uint8Array {
    this.#end()
    return Buffer.concat(this.#done)
  }

  #end(): void {
    if (this.#hash) this.#done.push(this.#hash.digest())
    this.#hash = undefined
  }
}
