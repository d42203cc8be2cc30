import { HtsvaultError } from '#shared/errors.ts'

/** The error for a block map that is not what its writer wrote. `offset` is in bytes of the map. */
export const corrupt = (what: string, offset?: number): HtsvaultError =>
  new HtsvaultError('BLOCK_MAP_CORRUPT', `the block map is damaged: ${what}`, {
    ...(offset !== undefined && { place: { offset } }),
    hint: 'Upload the file again: that makes a new block map.',
  })
