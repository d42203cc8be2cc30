import { readSync } from 'node:fs'
import { createShardIndexer } from '#shared/indexes/shards/createShardIndexer.ts'
import type { ShardResult } from '#shared/indexes/shards/ShardResult.ts'
import type { ShardTask } from '#shared/indexes/shards/ShardTask.ts'
import { ioBuffer } from '#shared/local/ioBuffer.ts'

/** The shards of one file. */
export interface ShardJob {
  /** The open file: descriptors are the whole process's, so that worker threads use the same. */
  readonly input: number
  readonly tasks: readonly ShardTask[]
}

const chunkBytes = 1 << 20

/** Indexes shards of a file one after the other, with one buffer. */
export class ShardWork {
  readonly #input: number
  readonly #done: Int32Array
  readonly #buffer = ioBuffer(chunkBytes)

  /** `done` counts the KiB read of all. */
  constructor({ input }: ShardJob, done: Int32Array) {
    this.#input = input
    this.#done = done
  }

  run(task: ShardTask): ShardResult {
    const steps = this.steps(task)
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
    }
  }

  /** The same, step by step: between them others of the thread may have their turn. */
  *steps(task: ShardTask): Generator<void, ShardResult> {
    const indexer = createShardIndexer(task)
    let at = indexer.from
    for (;;) {
      const size = readSync(this.#input, this.#buffer, 0, chunkBytes, at)
      if (size === 0 || !indexer.push(this.#buffer.subarray(0, size))) break
      at += size
      // What lies behind the range is counted by the shard that it belongs to.
      if (at <= task.range.end) Atomics.add(this.#done, 0, size >> 10)
      yield
    }
    return indexer.finish()
  }
}
