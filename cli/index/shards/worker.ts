import { parentPort, workerData } from 'node:worker_threads'
import { ShardWork, type ShardJob } from './ShardWork.ts'

const { job, next, done } = workerData as ShardWorkerStart
/** What a worker thread is started with. */
export interface ShardWorkerStart {
  readonly job: ShardJob
  /** Shared: the next shard to claim. */
  readonly next: Int32Array
  /** Shared: how many KiB were read. */
  readonly done: Int32Array
}

const work = new ShardWork(job, done)
for (let shard = Atomics.add(next, 0, 1); shard < job.tasks.length; shard = Atomics.add(next, 0, 1)) {
  const bytes = work.run(job.tasks[shard]!)
  parentPort!.postMessage({ shard, bytes }, [bytes.buffer as ArrayBuffer])
}
