import type { ObjectInfo } from './ObjectStore.ts'

/** Those who take a large file in, in many parts at once. */
export interface LargeIngests {
  /** From how many bytes on a file is large. */
  readonly from: number
  /**
   * Resolves when it is certain that somebody works on the upload; safe to call twice for one.
   * @throws HtsvaultError WORKFLOW_UNAVAILABLE
   */
  start(upload: ObjectInfo): Promise<void>
}
