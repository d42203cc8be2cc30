import { BgzfShard } from './BgzfShard.ts'
import { CramShard } from './CramShard.ts'
import type { ShardIndexer } from './ShardIndexer.ts'
import type { ShardTask } from './ShardTask.ts'

/** The indexer of one shard. What is wrong with the file it tells in its result, and does not throw. */
export const createShardIndexer = (task: ShardTask): ShardIndexer =>
  task.facts.format === 'CRAM' ? new CramShard(task, task.facts) : new BgzfShard(task, task.facts)
