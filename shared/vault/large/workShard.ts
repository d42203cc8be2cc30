import { createHash, type Hash } from 'node:crypto'
import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import { createShardIndexer } from '#shared/indexes/shards/createShardIndexer.ts'
import { nothingFound } from '#shared/indexes/shards/nothingFound.ts'
import type { ShardResult } from '#shared/indexes/shards/ShardResult.ts'
import type { ShardTask } from '#shared/indexes/shards/ShardTask.ts'
import type { VaultPorts } from '../VaultPorts.ts'
import { partsOf, shardTask, type LargePlan } from './LargePlan.ts'
import { openPlanned } from './openPlanned.ts'
import { PartKeeper } from './PartKeeper.ts'
import { PartWriter } from './PartWriter.ts'
import { digestBytes, WorkFolder, type ShardFindings } from './WorkFolder.ts'

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
    const kept = await folder.addShard(shard, await workOn(ports, plan, shard))
    return { state: kept ? 'done' : 'gone' }
  } catch (error) {
    if (isReplaced(error)) return { state: 'gone' }
    throw error
  }
}

async function workOn(ports: VaultPorts, plan: LargePlan, shard: number): Promise<ShardFindings> {
  const keeper = plan.sealed?.kept ? new PartKeeper(ports, plan, shard) : undefined
  const plain = await openPlanned(ports, plan, keeper?.seen)
  const body = keeper ?? (await PartWriter.open(ports, plan, shard))
  const digests = new PartDigests(plan.partBytes)
  let result: ShardResult
  try {
    result = await indexShard(plain, shardTask(plan, shard), async chunk => {
      digests.push(chunk)
      await body.write(chunk)
    })
  } catch (error) {
    if (!isSegmentError(error)) throw error
    return brokenShard(plan, shard, error)
  }
  await body.finish()
  return { result, digests: digests.finish() }
}

/** Whether segments of an upload do not open. */
const isSegmentError = (error: unknown): error is HtsvaultError =>
  error instanceof HtsvaultError && error.code.startsWith('CRYPT4GH_')

/** The findings of a shard that cannot be read. Its error counts wherever its records begin. */
const brokenShard = (plan: LargePlan, shard: number, error: HtsvaultError): ShardFindings => ({
  result: { ...nothingFound, error: error.toReport() },
  digests: new Uint8Array(partsOf(plan, shard) * digestBytes),
})

/** What is wrong with the bytes of a shard, rather than with its records. */
export const brokenBytes = ({ start, error }: ShardResult): ErrorReport | undefined =>
  start === undefined ? error : undefined

/** Whether an upload is not there any more, or another one is. */
export const isReplaced = (error: unknown): boolean =>
  error instanceof HtsvaultError && (error.code === 'OBJECT_CHANGED' || error.code === 'OBJECT_GONE')

/**
 * Indexes a shard of an upload, of its plain bytes.
 * @param own is given the bytes of the shard itself, in order.
 */
export async function indexShard(
  plain: ByteSource,
  task: ShardTask,
  own?: (chunk: Uint8Array) => Promise<void>,
): Promise<ShardResult> {
  const indexer = createShardIndexer(task)
  let wants = true
  const { range } = task
  const begin = own ? range.start : indexer.from
  let at = begin
  if (begin < range.end)
    for await (const chunk of plain.stream(begin, range.end, { reuse: true })) {
      // A start that is known may lie within the shard.
      const skip = Math.min(Math.max(0, indexer.from - at), chunk.length)
      if (wants && skip < chunk.length) wants = indexer.push(chunk.subarray(skip))
      at += chunk.length
      await own?.(chunk)
      if (!wants && !own) break
    }
  at = Math.max(range.end, indexer.from)
  for (let reach = firstReach; wants && at < plain.size; reach = Math.min(2 * reach, lastReach)) {
    const end = Math.min(at + reach, plain.size)
    for await (const chunk of plain.stream(at, end, { reuse: true })) {
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
