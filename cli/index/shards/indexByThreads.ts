import { setImmediate as breathe } from 'node:timers/promises'
import type { FileHeader } from '#shared/indexes/scan/FileHeader.ts'
import type { IndexedFile } from '#shared/indexes/FileIndexer.ts'
import { readShardResult } from '#shared/indexes/shards/readShardResult.ts'
import type { ShardResult } from '#shared/indexes/shards/ShardResult.ts'
import { ShardMerge } from '#shared/indexes/shards/ShardMerge.ts'
import { shardTasks } from '#shared/indexes/shards/ShardTask.ts'
import type { ByteRange } from '#shared/bytes/ByteRange.ts'
import { startThread } from '../../threads/startThread.ts'
import { type ShardJob, ShardWork } from './ShardWork.ts'
import type { ShardWorkerStart } from './worker.ts'

/**
 * Indexes an open file by its shards, in this thread and `threads - 1` others that claim them in turn. `onBytes` hears
 * how many bytes more were read. Memory: what shards hold, 1 MiB a thread, and the thread.
 * @throws HtsvaultError what is wrong with the file
 */
export async function indexByThreads(
  input: number,
  header: FileHeader,
  ranges: readonly ByteRange[],
  threads: number,
  onBytes: (bytes: number) => void,
): Promise<IndexedFile> {
  const job: ShardJob = { input, tasks: shardTasks(header, ranges) }
  const next = new Int32Array(new SharedArrayBuffer(4))
  const done = new Int32Array(new SharedArrayBuffer(4))
  const results = new Array<Uint8Array | ShardResult | undefined>(ranges.length)
  const others = Array.from({ length: Math.min(threads, ranges.length) - 1 }, () =>
    startWorker({ job, next, done }, results),
  )
  const work = new ShardWork(job, done)
  let heard = 0
  const run = async (task: ShardJob['tasks'][number]) => {
    const steps = work.steps(task)
    for (;;) {
      const step = steps.next()
      const now = Atomics.load(done, 0)
      onBytes((now - heard) * 1024)
      heard = now
      if (step.done) return step.value
      // Signals, progress and the other threads' messages get their turn.
      await breathe()
    }
  }
  try {
    for (let shard = Atomics.add(next, 0, 1); shard < ranges.length; shard = Atomics.add(next, 0, 1))
      results[shard] = await run(job.tasks[shard]!)
    await Promise.all(others.map(({ ended }) => ended))
    const merge = new ShardMerge(header)
    for (const [shard, task] of job.tasks.entries()) {
      if (merge.isEmpty(task)) continue
      const found = results[shard]!
      results[shard] = undefined
      const result = found instanceof Uint8Array ? readShardResult(found) : found
      const redo = merge.redo(task, result)
      merge.add(redo ? await run(redo) : result)
    }
    return merge.finish()
  } finally {
    await Promise.all(others.map(({ worker }) => worker.terminate()))
  }
}

function startWorker(start: ShardWorkerStart, results: (Uint8Array | ShardResult | undefined)[]) {
  const worker = startThread(new URL('./worker.ts', import.meta.url), start)
  worker.on('message', ({ shard, bytes }: { shard: number; bytes: Uint8Array }) => {
    results[shard] = bytes
  })
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('exit', () => resolve())
  })
  // Until it is awaited nobody else listens, and an unhandled rejection would end the process.
  ended.catch(() => undefined)
  return { worker, ended }
}
