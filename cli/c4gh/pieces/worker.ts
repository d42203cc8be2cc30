import { parentPort } from 'node:worker_threads'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { threadData } from '../../threads/startThread.ts'
import { pieceCount, type PieceJob, PieceWorker } from './PieceWork.ts'

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly job: PieceJob
  /** Shared: the next piece to claim. */
  readonly next: Int32Array
}

const { job, next } = threadData() as WorkerStart
const worker = new PieceWorker(job, nodeBackend)
const count = pieceCount(job)
try {
  for (let piece = Atomics.add(next, 0, 1); piece < count; piece = Atomics.add(next, 0, 1))
    parentPort!.postMessage(worker.run(piece))
} catch (error) {
  // The others find nothing left to claim.
  Atomics.store(next, 0, count)
  // Errors lose their class between threads: what tells about it goes over.
  if (!(error instanceof HtsvaultError)) throw error
  parentPort!.postMessage(error.toReport())
}
