import type { ByteRange } from '#shared/bytes/ByteRange.ts'
import type { IndexedFile, IndexKind } from '#shared/indexes/FileIndexer.ts'
import { createShardIndexer } from '#shared/indexes/shards/createShardIndexer.ts'
import { HeaderReader } from '#shared/indexes/shards/HeaderReader.ts'
import { ShardMerge } from '#shared/indexes/shards/ShardMerge.ts'
import type { ShardResult } from '#shared/indexes/shards/ShardResult.ts'
import { shardTasks, type ShardTask } from '#shared/indexes/shards/ShardTask.ts'

export interface ShardingOptions {
  readonly wanted?: IndexKind
  /** Sizes of the chunks, over and over. */
  readonly chunks?: readonly number[]
  /** Changes a task before it is run for the first time: a wrong start, for one. */
  readonly misled?: (task: ShardTask, shard: number) => ShardTask
  /** Sees every result, and may put another one in its place. */
  readonly through?: (result: ShardResult) => ShardResult
}

export interface Sharded {
  readonly file: IndexedFile
  /** How many shards were taken as they began by their own guess, had to be done anew, had nothing to give. */
  readonly guessed: number
  readonly redone: number
  readonly empty: number
}

/** Ranges that a file is cut into at `cuts`, of which those outside it and double ones are dropped. */
export function rangesAt(size: number, cuts: readonly number[]): ByteRange[] {
  const inside = [...new Set(cuts)].filter(cut => cut > 0 && cut < size).sort((a, b) => a - b)
  return [0, ...inside].map((start, i) => ({ start, end: inside[i] ?? size }))
}

/** Indexes a file by shards; chunks are gone when they were pushed. @throws what is wrong with it */
export function indexInShards(
  file: Uint8Array,
  ranges: readonly ByteRange[],
  options: ShardingOptions = {},
): Sharded {
  const { wanted, misled = (task: ShardTask) => task, through = (result: ShardResult) => result } = options
  const header = readHeader(file, wanted)
  const merge = new ShardMerge(header)
  let [guessed, redone, empty] = [0, 0, 0]
  const tasks = shardTasks(header, ranges)
  // All are run before the first is merged, as they are elsewhere.
  const results = tasks.map((task, shard) => through(runShard(file, misled(task, shard), options.chunks)))
  for (const [shard, task] of tasks.entries()) {
    if (merge.isEmpty(task)) {
      empty++
      continue
    }
    const redo = merge.redo(task, results[shard]!)
    if (redo) redone++
    else if (shard > 0) guessed++
    merge.add(redo ? through(runShard(file, redo, options.chunks)) : results[shard]!)
  }
  return { file: merge.finish(), guessed, redone, empty }
}

function readHeader(file: Uint8Array, wanted: IndexKind | undefined) {
  const reader = new HeaderReader(wanted)
  for (let at = 0; at < file.length; at += 5000) {
    const header = reader.push(file.subarray(at, at + 5000))
    if (header) return header
  }
  return reader.finish()
}

export function runShard(
  file: Uint8Array,
  task: ShardTask,
  chunks: readonly number[] = [1 << 16],
): ShardResult {
  const indexer = createShardIndexer(task)
  let at = indexer.from
  for (let k = 0, wants = true; wants && at < file.length; k++) {
    const size = chunks[k % chunks.length]!
    const chunk = Buffer.from(file.subarray(at, at + size))
    wants = indexer.push(chunk)
    chunk.fill(0xee)
    at += size
  }
  return indexer.finish()
}
