import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import { createFileIndexer } from './createFileIndexer.ts'
import type { IndexedFile } from './FileIndexer.ts'
import type { IndexLane } from './IndexLane.ts'

/*
 * One worker thread that indexes while the caller digests and encrypts. Chunks go over in a ring of shared slots:
 * one copy a chunk (0.15 s a GB), no allocation, and never more than `slots` MiB on the way.
 */
const slotBytes = 1 << 20
const slots = 8
const task = 'htsvault:index'

type ToWorker = { slot: number; length: number } | 'finish'
type FromWorker = { freed: number } | { done: IndexedFile } | { failed: ErrorReport } | { crashed: string }

// In a bundle the worker runs the bundle itself; this line is then what tells the two apart.
if (!isMainThread && isOurs(workerData)) work(workerData.ring)

function isOurs(data: unknown): data is { task: string; ring: SharedArrayBuffer } {
  return typeof data === 'object' && data !== null && 'task' in data && data.task === task
}

function work(ring: SharedArrayBuffer): void {
  const indexer = createFileIndexer()
  const bytes = new Uint8Array(ring)
  const reply = (message: FromWorker) => parentPort?.postMessage(message)
  parentPort?.on('message', (message: ToWorker) => {
    try {
      if (message === 'finish') {
        reply({ done: indexer.finish() })
        return
      }
      const at = message.slot * slotBytes
      indexer.push(bytes.subarray(at, at + message.length))
      reply({ freed: message.slot })
    } catch (error) {
      reply(error instanceof HtsvaultError ? { failed: error.toReport() } : { crashed: String(error) })
    }
  })
}

/** Starts a worker thread that indexes one file of any of the four formats. */
export function threadIndexLane(): IndexLane {
  const ring = new SharedArrayBuffer(slots * slotBytes)
  const bytes = new Uint8Array(ring)
  const worker = new Worker(new URL(import.meta.url), { workerData: { task, ring } })
  const free = Array.from({ length: slots }, (_, slot) => slot)
  let failure: unknown
  let result: IndexedFile | undefined
  let wake: (() => void) | undefined

  const settle = (change: () => void) => {
    change()
    wake?.()
    wake = undefined
  }
  worker.on('message', (message: FromWorker) =>
    settle(() => {
      if ('freed' in message) free.push(message.freed)
      else if ('done' in message) result = message.done
      else if ('failed' in message) failure ??= rebuild(message.failed)
      else failure ??= new Error(message.crashed)
    }),
  )
  worker.on('error', (error: unknown) => settle(() => (failure ??= error)))
  worker.on('exit', () => settle(() => (failure ??= new Error('the indexing thread ended'))))

  const until = async (ready: () => boolean) => {
    while (failure === undefined && !ready()) await new Promise<void>(resolve => (wake = resolve))
    if (failure !== undefined) throw failure as Error
  }

  return {
    async push(chunk) {
      for (let at = 0; at < chunk.length; at += slotBytes) {
        await until(() => free.length > 0)
        const slot = free.pop()!
        const piece = chunk.subarray(at, at + slotBytes)
        bytes.set(piece, slot * slotBytes)
        worker.postMessage({ slot, length: piece.length } satisfies ToWorker)
      }
    },
    async finish() {
      worker.postMessage('finish' satisfies ToWorker)
      await until(() => result !== undefined)
      return result!
    },
    async close() {
      await worker.terminate()
    },
  }
}

const rebuild = (report: ErrorReport): HtsvaultError =>
  new HtsvaultError(report.code as Uppercase<string>, report.message, report)
