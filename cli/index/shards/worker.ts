import { parentPort } from 'node:worker_threads'
import { writeShardResult } from '#shared/indexes/shards/writeShardResult.ts'
import { threadData } from '../../threads/startThread.ts'
import { type ShardJob, ShardWork } from './ShardWork.ts'

/** What a worker thread is started with. */
export interface ShardWorkerStart {
  readonly job: ShardJob
  /** Shared: the next shard to claim. */
  readonly next: Int32Array
  /** Shared: how many KiB were read. */
  readonly done: Int32Array
}

const { job, next, done } = threadData() as ShardWorkerStart

const work = new ShardWork(job, done)
for (let shard = Atomics.add(next, 0, 1); shard < job.tasks.length; shard = Atomics.add(next, 0, 1)) {
  const bytes = writeShardResult(work.run(job.tasks[shard]!))
  parentPort!.postMessage({ shard, bytes }, [bytes.buffer as ArrayBuffer])
}
