import { HtsvaultError } from '#shared/errors.ts'

/** The error for bytes that are not the result of a shard, as its writer wrote them. */
export const shardCorrupt = (what: string): HtsvaultError =>
  new HtsvaultError('SHARD_CORRUPT', `the result of a shard is damaged: ${what}`, {
    hint: 'Have the shard indexed again.',
  })
