import { newProcessName } from '#shared/local/processNames.ts'
import type { IngestEnd } from '#shared/vault/ingestUpload.ts'
import { ingestInShards } from '#shared/vault/large/ingestInShards.ts'
import { cutsFor, type LargeCuts } from '#shared/vault/large/LargePlan.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { ShardThreads } from './ShardThreads.ts'

export interface ThreadsOptions {
  /** The vault's folder, which the ports are of. */
  readonly data: string
  readonly workers: number
  readonly cuts?: (size: number) => LargeCuts
  readonly progress?: (done: number, of: number) => void
}

/**
 * Takes one upload into a local vault by shards, on worker threads. Memory: some 80 MB a thread (docs/local.md), and
 * in this one the indexes of the file.
 * @throws whatever is not the file's fault: the upload is to be tried again; HtsvaultError WORKER_DIED
 */
export async function ingestByThreads(
  ports: VaultPorts,
  key: string,
  { data, workers, cuts = cutsForThreads(workers), progress }: ThreadsOptions,
): Promise<IngestEnd> {
  const threads = new ShardThreads(data)
  try {
    return await ingestInShards(ports, key, {
      work: newProcessName(),
      workers,
      cuts,
      run: (work, shard) => threads.run(work, shard),
      ...(progress && { progress }),
    })
  } finally {
    await threads.close()
  }
}

/** Shards in a file for each thread, at least: none waits long for the last one. */
const shardsEach = 4

/** The cuts of `cutsFor`, but smaller shards for a file that would have too few for all threads. */
const cutsForThreads =
  (workers: number) =>
  (size: number): LargeCuts => {
    const { partBytes, shardParts } = cutsFor(size)
    const fair = Math.ceil(size / partBytes / (workers * shardsEach))
    return { partBytes, shardParts: Math.min(shardParts, fair) }
  }
