import { availableParallelism } from 'node:os'
import type { IndexLane } from './IndexLane.ts'
import { inlineIndexLane } from './inlineIndexLane.ts'
import { threadIndexLane } from './threadIndexLane.ts'

/** Below this many bytes a thread costs more than it brings (it takes some 60 ms to start). */
const threadFrom = 8 << 20
/** From here on a second one is worth it, that inflates ahead of the first, where there is a core for it. */
const inflateFrom = 64 << 20

/** A lane for a file of this many bytes: in a thread of its own where that is worth it. */
export function openIndexLane(bytes: number): IndexLane {
  const cores = availableParallelism()
  if (bytes < threadFrom || cores === 1) return inlineIndexLane()
  return threadIndexLane({ inflating: bytes >= inflateFrom && cores > 2 ? 1 : 0 })
}
