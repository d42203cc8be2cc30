import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { HtsvaultError } from '#shared/errors.ts'
import { failedWith } from '#shared/local/folderErrors.ts'
import { startThread } from '../../threads/startThread.ts'
import type { ShardReply, ShardRequest, ShardWorkerStart } from './worker.ts'

/** How often a shard is tried. */
const tries = 3

export interface ShardThreadsOptions {
  /** What a thread runs. */
  readonly script?: URL
  /** How long is waited between the first try and the second, in milliseconds: a disk may come back. */
  readonly waitMs?: number
  /** What the JavaScript objects of one thread may take; its buffers are besides, and bounded by themselves. */
  readonly heapMegabytes?: number
}

/** Worker threads that do shards of large ingests on one local vault, one shard at a time each. */
export class ShardThreads {
  readonly #start: ShardWorkerStart
  readonly #script: URL
  readonly #waitMs: number
  readonly #heapMegabytes: number
  readonly #idle: ShardThread[] = []
  readonly #all = new Set<ShardThread>()

  /** @param data the vault's folder */
  constructor(
    data: string,
    {
      script = new URL('./worker.ts', import.meta.url),
      waitMs = 500,
      heapMegabytes = 256,
    }: ShardThreadsOptions = {},
  ) {
    this.#start = { data }
    this.#script = script
    this.#waitMs = waitMs
    this.#heapMegabytes = heapMegabytes
  }

  /**
   * Does one shard in a thread that is free, or in a new one; what fails is tried again.
   * @throws HtsvaultError WORKER_DIED where the thread ended each time, or what the shard itself failed with
   */
  async run(work: string, shard: number): Promise<void> {
    for (let attempt = 1; ; attempt++)
      try {
        await this.#once({ work, shard })
        return
      } catch (error) {
        if (attempt === tries) throw error
        await setTimeout(attempt * this.#waitMs)
      }
  }

  /** Ends all threads, whatever they do. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map(thread => thread.close()))
  }

  async #once(request: ShardRequest): Promise<void> {
    let thread = this.#idle.pop()
    while (thread?.ended) thread = this.#idle.pop()
    thread ??= this.#open()
    try {
      await thread.run(request)
    } finally {
      if (thread.ended) this.#all.delete(thread)
      else this.#idle.push(thread)
    }
  }

  #open(): ShardThread {
    const thread = new ShardThread(this.#script, this.#start, this.#heapMegabytes)
    this.#all.add(thread)
    return thread
  }
}

class ShardThread {
  readonly #worker: Worker
  #ended = false
  #failure: unknown
  #settle: ((reply: ShardReply | undefined) => void) | undefined

  constructor(script: URL, start: ShardWorkerStart, heapMegabytes: number) {
    this.#worker = startThread(script, start, {
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    })
    this.#worker.on('message', (reply: ShardReply) => this.#settle?.(reply))
    this.#worker.on('error', (error: unknown) => {
      this.#failure = error
    })
    // It comes after every message and error, when no write of the thread is under way any more.
    this.#worker.on('exit', () => {
      this.#ended = true
      this.#settle?.(undefined)
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  /** @throws HtsvaultError WORKER_DIED, or what the shard failed with */
  async run(request: ShardRequest): Promise<void> {
    const reply = await new Promise<ShardReply | undefined>(resolve => {
      this.#settle = resolve
      this.#worker.postMessage(request)
    })
    if (!reply) throw died(request.shard, this.#failure)
    if ('failed' in reply) throw HtsvaultError.from(reply.failed)
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

function died(shard: number, cause: unknown): HtsvaultError {
  const why = failedWith(cause, 'ERR_WORKER_OUT_OF_MEMORY') ? ': it ran out of memory' : ''
  return new HtsvaultError(
    'WORKER_DIED',
    `a worker thread ended ${tries} times on shard ${shard + 1}${why}`,
    {
      hint: 'Start the vault again with --workers 1: the file is then taken in by one pass.',
      cause,
    },
  )
}
