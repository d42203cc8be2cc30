import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import { createFileIndexer } from './createFileIndexer.ts'
import type { IndexedFile, IndexKind } from './FileIndexer.ts'
import type { IndexLane } from './IndexLane.ts'
import { ringMemory, SlotRing, type RingMemory } from './SlotRing.ts'
import { SlotWriter } from './SlotWriter.ts'

export interface ThreadIndexLaneOptions {
  /** The standard index to make, where not the usual one. */
  readonly index?: IndexKind | undefined
  /** How many threads besides the indexing one inflate BGZF blocks ahead of it: that is nine tenths of the work. */
  readonly inflating?: number
}

/** What a worker thread is started with. */
interface LaneTask {
  readonly task: 'htsvault:index' | 'htsvault:inflate'
  readonly memory: RingMemory
  readonly index: IndexKind | undefined
}

type FromWorker = { indexed: IndexedFile } | { failed: ErrorReport } | { crashed: string }

// In a bundle the worker runs the bundle itself; this line is then what tells the two apart.
if (!isMainThread && isOurs(workerData)) work(workerData)

function isOurs(data: unknown): data is LaneTask {
  return (
    typeof data === 'object' &&
    data !== null &&
    'task' in data &&
    (data.task === 'htsvault:index' || data.task === 'htsvault:inflate')
  )
}

function work({ task, memory, index }: LaneTask): void {
  const ring = new SlotRing(memory)
  if (task === 'htsvault:inflate') ring.inflateAhead()
  else parentPort?.postMessage(indexFrom(ring, index))
}

function indexFrom(ring: SlotRing, index: IndexKind | undefined): FromWorker {
  try {
    const indexer = createFileIndexer(index, ring.inflate)
    for (let bytes = ring.take(); bytes; bytes = ring.take()) {
      indexer.push(bytes)
      ring.release()
    }
    return { indexed: indexer.finish() }
  } catch (error) {
    return error instanceof HtsvaultError ? { failed: error.toReport() } : { crashed: String(error) }
  }
}

/** Starts a worker thread that indexes one file of any of the four formats while the caller digests and encrypts. */
export function threadIndexLane({ index, inflating = 0 }: ThreadIndexLaneOptions = {}): IndexLane {
  const memory = ringMemory()
  const start = (task: LaneTask['task']) =>
    new Worker(new URL(import.meta.url), { workerData: { task, memory, index } satisfies LaneTask })
  const indexing = start('htsvault:index')
  const workers = [indexing, ...Array.from({ length: inflating }, () => start('htsvault:inflate'))]

  const result = new Promise<IndexedFile>((resolve, reject) => {
    indexing.on('message', (message: FromWorker) => {
      if ('indexed' in message) resolve(message.indexed)
      else if ('failed' in message) reject(HtsvaultError.from(message.failed))
      else reject(new Error(message.crashed))
    })
    for (const worker of workers) worker.on('error', reject)
    indexing.on('exit', () => reject(new Error('the indexing thread ended')))
  })
  // One listener for the whole file: one a wait (`Promise.race`) would be kept until its end.
  let failed = false
  let wake: () => void = () => undefined
  result.catch(() => {
    failed = true
    wake()
  })
  const writer = new SlotWriter(new SlotRing(memory), async room => {
    if (!failed)
      await new Promise<void>(resolve => {
        wake = resolve
        void room.then(() => resolve())
      })
    if (failed) await result
  })

  return {
    push: chunk => writer.write(chunk),
    async finish() {
      await writer.end()
      return result
    },
    async close() {
      await Promise.all(workers.map(worker => worker.terminate()))
    },
  }
}
