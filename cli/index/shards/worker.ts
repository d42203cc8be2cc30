import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { ShardJob } from './ShardWork.ts'

/** What a worker thread is started with. */
export interface ShardWorkerStart {
  readonly job: ShardJob
  /** Shared: the next shard to claim. */
  readonly next: Int32Array
  /** Shared: how many KiB were read. */
  readonly done: Int32Array
  /** Where compiled modules are kept, if anywhere. */
  readonly compileCache: string | undefined
}

const { job, next, done, compileCache } = workerData as ShardWorkerStart
if (compileCache !== undefined) enableCompileCache(compileCache)
const [{ ShardWork }, { writeShardResult }] = await Promise.all([
  import('./ShardWork.ts'),
  import('#shared/indexes/shards/writeShardResult.ts'),
])

const work = new ShardWork(job, done)
for (let shard = Atomics.add(next, 0, 1); shard < job.tasks.length; shard = Atomics.add(next, 0, 1)) {
  const bytes = writeShardResult(work.run(job.tasks[shard]!))
  parentPort!.postMessage({ shard, bytes }, [bytes.buffer as ArrayBuffer])
}
