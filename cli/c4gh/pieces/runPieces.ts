import { setImmediate as breathe } from 'node:timers/promises'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { type ErrorReport, HtsvaultError } from '#shared/errors.ts'
import { startThread } from '../../threads/startThread.ts'
import { pieceCount, type PieceJob, PieceWorker } from './PieceWork.ts'
import type { WorkerStart } from './worker.ts'

/**
 * Encrypts or decrypts a body file to file, in this thread and `threads - 1` others that claim pieces in turn.
 * `onBytes` hears how many bytes more were read. Memory: 2 MiB a thread, and the thread.
 * @throws HtsvaultError as SegmentOpener's users; INPUT_CHANGED.
 */
export async function runPieces(
  job: PieceJob,
  threads: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const count = pieceCount(job)
  const next = new Int32Array(new SharedArrayBuffer(4))
  const stop = () => Atomics.store(next, 0, count)
  const others = Array.from({ length: Math.min(threads, count) - 1 }, () =>
    startWorker({ job, next }, onBytes, stop),
  )
  try {
    const worker = new PieceWorker(job, nodeBackend)
    for (let piece = Atomics.add(next, 0, 1); piece < count; piece = Atomics.add(next, 0, 1)) {
      onBytes(worker.run(piece))
      // Signals, progress and the other threads' messages get their turn.
      await breathe()
    }
  } catch (error) {
    stop()
    await Promise.allSettled(others)
    throw error
  }
  await Promise.all(others)
}

function startWorker(start: WorkerStart, onBytes: (bytes: number) => void, stop: () => void): Promise<void> {
  const worker = startThread(new URL('./worker.ts', import.meta.url), start)
  let failure: Error | undefined
  worker.on('message', (message: number | ErrorReport) => {
    if (typeof message === 'number') onBytes(message)
    else failure = HtsvaultError.from(message)
  })
  const done = new Promise<void>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('exit', () => (failure ? reject(failure) : resolve()))
  })
  // Until it is awaited nobody else listens, and an unhandled rejection would end the process.
  done.catch(stop)
  return done
}
