import { availableParallelism } from 'node:os'
import type { IndexLane } from './IndexLane.ts'
import { inlineIndexLane } from './inlineIndexLane.ts'
import { threadIndexLane } from './threadIndexLane.ts'

/** Below this many bytes a thread costs more than it brings (it takes some 60 ms to start). */
const threadFrom = 8 << 20
/** From here on a second one is worth it, that inflates ahead of the first. */
const inflateFrom = 64 << 20

/** A lane for a file of this many bytes: in a thread of its own where that is worth it. */
export const openIndexLane = (bytes: number): IndexLane =>
  bytes >= threadFrom && availableParallelism() > 1
    ? threadIndexLane({ inflating: bytes >= inflateFrom ? 1 : 0 })
    : inlineIndexLane()
