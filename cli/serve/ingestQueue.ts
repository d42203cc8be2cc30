import { HtsvaultError } from '#shared/errors.ts'
import type { IngestOutcome } from '#shared/vault/ingestUpload.ts'
import type { StatusBoard } from '#shared/vault/StatusBoard.ts'

/** Longest wait before a try that failed for no fault of the file is made again, in milliseconds. */
const longestWait = 30_000

export interface IngestQueue {
  /** An upload is there, whole: it is taken in when its turn comes. */
  add(key: string, bytes: number): void
  /** Lets the file at hand end, and takes no more. */
  close(): Promise<void>
}

/** Errors that another try, soon, would end in too. */
const lasting = new Set(['WORKER_DIED'])

/** Takes uploads in one after another (each uses two cores by itself, or more), and keeps the board. */
export function ingestQueue(
  ingest: (key: string, progress: (done: number, of: number) => void) => Promise<IngestOutcome>,
  board: StatusBoard,
): IngestQueue {
  const waiting = new Map<string, number>()
  const timers = new Set<NodeJS.Timeout>()
  let running: Promise<void> | undefined
  let closed = false

  const takeIn = async (key: string, bytes: number, attempt: number): Promise<void> => {
    board.set(key, 'ingesting', bytes)
    try {
      const outcome = await ingest(key, (done, of) => board.progress(key, done, of))
      if (outcome.state === 'served') board.served(outcome.manifest)
      else if (outcome.state === 'refused') board.set(key, 'refused', bytes, outcome.report)
      else board.forget(key)
    } catch (error) {
      if (error instanceof HtsvaultError && lasting.has(error.code)) {
        board.set(key, 'failed', bytes, error.toReport())
        if (error.cause !== undefined) console.error(error.cause)
        return
      }
      const report =
        error instanceof HtsvaultError
          ? error.toReport()
          : { code: 'INTERNAL', message: 'an error of htsvault itself; it is tried again' }
      board.set(key, 'received', bytes, report)
      if (!(error instanceof HtsvaultError)) console.error(error)
      const timer = setTimeout(
        () => {
          timers.delete(timer)
          add(key, bytes, attempt + 1)
        },
        Math.min(longestWait, 1000 * 2 ** attempt),
      )
      timers.add(timer)
    }
  }

  const run = async () => {
    for (let next = waiting.entries().next(); !next.done && !closed; next = waiting.entries().next()) {
      const [key, bytes] = next.value
      waiting.delete(key)
      await takeIn(key, bytes, attempts.get(key) ?? 0)
    }
    running = undefined
  }

  const attempts = new Map<string, number>()
  const add = (key: string, bytes: number, attempt: number) => {
    if (closed) return
    attempts.set(key, attempt)
    waiting.set(key, bytes)
    running ??= run()
  }

  return {
    add(key, bytes) {
      board.set(key, 'received', bytes)
      add(key, bytes, 0)
    },
    async close() {
      closed = true
      for (const timer of timers) clearTimeout(timer)
      await running
    },
  }
}
