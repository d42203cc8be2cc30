/**
 * Raw DEFLATE (RFC 1951) for BGZF blocks: at most 64 KiB in, at most 64 KiB of known length out. AssemblyScript:
 * `npm run wasm` compiles it to `shared/bgzf/inflateModule.ts`.
 *
 * Three blocks are inflated side by side, in lanes: each symbol has to wait for the one before it, so a processor that
 * is given one stream stands idle for most of its time. And no lane branches on what a symbol is, as that cannot be
 * guessed, and a wrong guess would cost all of them what they had begun.
 */
import { repeated } from './copyMatch'
import { inflateSymbol } from './inflateSymbol'
import {
  bad,
  distAt,
  done,
  idleAt,
  inputAt,
  jobBytes,
  jobsAt,
  laneA,
  laneB,
  laneC,
  lastAt,
  litBitsAt,
  outAt,
  outEndAt,
  peek,
  plainAt,
  posAt,
  posEndAt,
  stateAt,
  stepsAt,
  stridesAt,
} from './memory'
import { openBlock } from './openBlock'
import { distBits, leastAt, maskAt, toDropAt } from './prefixCode'

export { inputAt, jobsAt, outputAt, outputSlack } from './memory'

const distMask: u32 = (1 << distBits) - 1

/** The next job that no lane has, and where they end. */
let nextJob: usize = 0
let jobsEnd: usize = 0

/** Whether each of the first jobs inflates to exactly the bytes that it says. */
export function inflate(jobs: u32): bool {
  nextJob = jobsAt
  jobsEnd = jobsAt + <usize>jobs * jobBytes
  // each lane
  store<u32>(laneA, done, stateAt)
  // end
  while (true) {
    let busy = false
    // each lane
    if (takeJob(laneA)) busy = true
    if (load<u32>(laneA, stateAt) == bad) return false
    // end
    if (!busy) return true
    if (!inflateUntilOneEnds()) return false
  }
  return false
}

/** Gives a lane that is done something to do; false where there is nothing, and it idles. */
function takeJob(lane: usize): bool {
  while (load<u32>(lane, stateAt) == done) {
    if (nextJob == jobsEnd) {
      idle(lane)
      return false
    }
    const input = load<u32>(nextJob)
    const output = load<u32>(nextJob, 8)
    store<u32>(lane, input << 3, posAt)
    store<u32>(lane, (input + load<u32>(nextJob, 4)) << 3, posEndAt)
    store<u32>(lane, output, outAt)
    store<u32>(lane, output, plainAt)
    store<u32>(lane, output + load<u32>(nextJob, 12), outEndAt)
    store<u32>(lane, 0, lastAt)
    nextJob += jobBytes
    openBlock(lane)
  }
  return true
}

/** Has the lane stand where its next bits are a step that takes none and makes nothing. */
function idle(lane: usize): void {
  store<u32>(lane, inputAt << 3, posAt)
  store<u32>(lane, inputAt << 3, posEndAt)
  store<u32>(lane, lane + idleAt, outAt)
  store<u32>(lane, lane + idleAt, outEndAt)
  const bits = <u32>peek((<u32>inputAt) << 3)
  store<u32>(lane + ((<usize>(bits & stepMask(lane))) << 2), 0x100, stepsAt)
  store<u64>(lane + ((<usize>(bits & distMask)) << 3), (<u64>idleAt) << 32, distAt)
}

/** Which of the next bits tell a step. */
function stepMask(lane: usize): u32 {
  return (1 << load<u32>(lane, litBitsAt)) - 1
}

/** Goes on in all lanes until one is at the end of its block, and opens its next. False where one is bad. */
function inflateUntilOneEnds(): bool {
  // each lane
  const posEndA = load<u32>(laneA, posEndAt)
  const outEndA = load<u32>(laneA, outEndAt)
  const plainA = load<u32>(laneA, plainAt)
  const stepMaskA = stepMask(laneA)
  // end
  while (true) {
    // each lane
    let posA = load<u32>(laneA, posAt)
    let outA = load<u32>(laneA, outAt)
    let bitsA = peek(posA)
    let stepA = load<u32>(((<u32>bitsA) & stepMaskA) << 2, laneA + stepsAt)
    // end
    let stopped = laneA
    while (true) {
      // What is read or written too far is within the slack, and refused here before it goes on.
      let left: i32 = 0
      // each lane
      left |= (posEndA - posA) | (outEndA - outA)
      // end
      if (left < 0) return false
      // Where a lane's next step is none, or its distance, nothing of it is kept: `inflateSymbol` takes that symbol.
      // each lane
      stopped = laneA
      if (stepA == 0) break
      store<u16>(outA, <u16>(stepA >> 8))
      const restA = rotr<u64>(bitsA, stepA)
      const distA = ((<u32>restA) & distMask) << 3
      const leastA: u32 = load<u16>(distA, laneA + distAt + leastAt)
      if (leastA == 0) break
      const addedA = <u32>rotr<u64>(restA, load<u8>(distA, laneA + distAt))
      const distanceA = leastA + (addedA & load<u16>(distA, laneA + distAt + maskAt))
      // Without a match the distance is any: no bits are dropped for it, and no bytes kept.
      const lengthA = stepA >> 24
      const ifMatchA = <u32>((<i32>(0 - lengthA)) >> 31)
      const toA = outA + ((stepA >> 6) & 3)
      if ((distanceA & ifMatchA) > toA - plainA) break
      posA += (stepA & 15) + (load<u8>(distA, laneA + distAt + toDropAt) & ifMatchA)
      outA = toA + lengthA
      bitsA = peek(posA)
      stepA = load<u32>(((<u32>bitsA) & stepMaskA) << 2, laneA + stepsAt)
      if (distanceA < 16) {
        const bytes = repeated(toA, distanceA)
        const stride: u32 = load<u8>(distanceA, stridesAt)
        for (let at = toA; at < outA; at += stride) v128.store(at, bytes)
      } else {
        // Few matches are longer than 32 bytes.
        v128.store(toA, v128.load(toA - distanceA))
        v128.store(toA + 16, v128.load(toA + 16 - distanceA))
        for (let at = toA + 32; at < outA; at += 16) v128.store(at, v128.load(at - distanceA))
      }
      // end
    }
    // each lane
    store<u32>(laneA, posA, posAt)
    store<u32>(laneA, outA, outAt)
    // end
    if (!inflateSymbol(stopped)) {
      openBlock(stopped)
      return load<u32>(stopped, stateAt) != bad
    }
    if (load<u32>(stopped, stateAt) == bad) return false
  }
  return false
}
