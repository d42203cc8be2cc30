import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import { createFileIndexer } from './createFileIndexer.ts'
import type { IndexedFile } from './FileIndexer.ts'
import type { IndexLane } from './IndexLane.ts'

/*
 * One worker thread that indexes while the caller digests and encrypts. Chunks go over in a ring of shared slots: one
 * copy a chunk (0.1 s a GB), no allocation, never more than the ring on the way. Who waits, waits on a counter: a
 * message a chunk cost the worker 3 s a GB.
 */
const slotBytes = 1 << 20
const slots = 8
const task = 'htsvault:index'

/** What both threads share. */
interface Ring {
  readonly bytes: SharedArrayBuffer
  /** How many slots were filled, and how many of them worked off, since the start; then the slots' lengths. */
  readonly counters: SharedArrayBuffer
}
const filled = 0
const done = 1
const lengths = 2
/** The length of a slot that says that there are no more. */
const theEnd = -1

type FromWorker = { indexed: IndexedFile } | { failed: ErrorReport } | { crashed: string }

// In a bundle the worker runs the bundle itself; this line is then what tells the two apart.
if (!isMainThread && isOurs(workerData)) parentPort?.postMessage(work(workerData.ring))

function isOurs(data: unknown): data is { task: string; ring: Ring } {
  return typeof data === 'object' && data !== null && 'task' in data && data.task === task
}

function work(ring: Ring): FromWorker {
  const bytes = new Uint8Array(ring.bytes)
  const counters = new Int32Array(ring.counters)
  try {
    const indexer = createFileIndexer()
    for (let next = 0; ; next++) {
      while (Atomics.load(counters, filled) === next) Atomics.wait(counters, filled, next)
      const slot = next % slots
      const length = counters[lengths + slot]!
      if (length === theEnd) return { indexed: indexer.finish() }
      indexer.push(bytes.subarray(slot * slotBytes, slot * slotBytes + length))
      Atomics.add(counters, done, 1)
      Atomics.notify(counters, done)
    }
  } catch (error) {
    return error instanceof HtsvaultError ? { failed: error.toReport() } : { crashed: String(error) }
  }
}

/** Starts a worker thread that indexes one file of any of the four formats. */
export function threadIndexLane(): IndexLane {
  const ring: Ring = {
    bytes: new SharedArrayBuffer(slots * slotBytes),
    counters: new SharedArrayBuffer((lengths + slots) * Int32Array.BYTES_PER_ELEMENT),
  }
  const bytes = new Uint8Array(ring.bytes)
  const counters = new Int32Array(ring.counters)
  const worker = new Worker(new URL(import.meta.url), { workerData: { task, ring } })

  const result = new Promise<IndexedFile>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if ('indexed' in message) resolve(message.indexed)
      else if ('failed' in message) reject(rebuild(message.failed))
      else reject(new Error(message.crashed))
    })
    worker.on('error', reject)
    worker.on('exit', () => reject(new Error('the indexing thread ended')))
  })
  // It is awaited in `push` and `finish`; a caller that stops before that is not to be told.
  result.catch(() => undefined)

  const fill = async (length: number, piece?: Uint8Array) => {
    const next = Atomics.load(counters, filled)
    for (
      let behind = Atomics.load(counters, done);
      next - behind >= slots;
      behind = Atomics.load(counters, done)
    ) {
      const { async, value } = Atomics.waitAsync(counters, done, behind)
      if (async) await Promise.race([value, result])
    }
    const slot = next % slots
    if (piece) bytes.set(piece, slot * slotBytes)
    counters[lengths + slot] = length
    Atomics.add(counters, filled, 1)
    Atomics.notify(counters, filled)
  }

  return {
    async push(chunk) {
      for (let at = 0; at < chunk.length; at += slotBytes) {
        const piece = chunk.subarray(at, at + slotBytes)
        await fill(piece.length, piece)
      }
    },
    async finish() {
      await fill(theEnd)
      return result
    },
    async close() {
      await worker.terminate()
    },
  }
}

const rebuild = (report: ErrorReport): HtsvaultError =>
  new HtsvaultError(report.code as Uppercase<string>, report.message, report)
