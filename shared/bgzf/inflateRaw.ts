import { instantiate } from '#shared/bytes/instantiate.ts'
import { inflateModule } from './inflateModule.ts'

/** The most bytes that one block has, compressed, and the most that it gives. */
export const maxInflate = 65536
/** How many blocks are inflated at once at most, and how many compressed bytes they may take up. */
export const mostTogether = 6
export const mostInput = 1 << 18

/** What to inflate: raw DEFLATE (RFC 1951) from `start` to `end` of some bytes, that is known to make `size` bytes. */
export interface InflateJob {
  readonly start: number
  readonly end: number
  readonly size: number
}

/** What wasm/inflate exports. */
interface Exports {
  readonly memory: WebAssembly.Memory
  /** Where the jobs go, the compressed bytes, and the plain ones; and how much lies between those of two jobs. */
  readonly jobsAt: WebAssembly.Global<'i32'>
  readonly inputAt: WebAssembly.Global<'i32'>
  readonly outputAt: WebAssembly.Global<'i32'>
  readonly outputSlack: WebAssembly.Global<'i32'>
  readonly inflate: (jobs: number) => number
}

/** Of this thread; compiled when it is first needed. */
let inflater: ReturnType<typeof openInflater> | undefined
let calls = 0

/** How often this thread has inflated something: what was inflated before the last time is no longer there. */
export const inflateCalls = (): number => calls

/**
 * Inflates raw DEFLATE (RFC 1951) that is known to make exactly `size` bytes. Undefined where it does not: what is
 * wrong then is for zlib to say. The result lies where the next call of this thread writes: it is valid until then.
 */
export function inflateRaw(compressed: Uint8Array, size: number): Uint8Array | undefined {
  return inflateTogether(compressed, [{ start: 0, end: compressed.length, size }])?.[0]
}

/**
 * As `inflateRaw`, for a few jobs at once, which takes half to three quarters of the time. Undefined where one of them
 * does not make what it should, or they are too much: more than `mostTogether`, of over 64 KiB, or not close together.
 */
export function inflateTogether(bytes: Uint8Array, jobs: readonly InflateJob[]): Uint8Array[] | undefined {
  const first = jobs[0]?.start ?? 0
  const last = jobs.at(-1)?.end ?? 0
  inflater ??= openInflater()
  const { memory, places, inputAt, outputAt, outputSlack, inflate } = inflater
  if (jobs.length > mostTogether || last - first > mostInput || !jobs.every(fits)) return undefined
  calls++
  memory.set(bytes.subarray(first, last), inputAt)
  let to = outputAt
  const plain: Uint8Array[] = []
  for (const [i, { start, end, size }] of jobs.entries()) {
    places[4 * i] = inputAt + start - first
    places[4 * i + 1] = end - start
    places[4 * i + 2] = to
    places[4 * i + 3] = size
    plain.push(memory.subarray(to, to + size))
    to += size + outputSlack
  }
  return inflate(jobs.length) ? plain : undefined
}

const fits = ({ start, end, size }: InflateJob): boolean =>
  start <= end && end - start <= maxInflate && size <= maxInflate

function openInflater() {
  const exports = instantiate(inflateModule) as unknown as Exports
  const { memory, jobsAt, inputAt, outputAt, outputSlack, inflate } = exports
  return {
    memory: new Uint8Array(memory.buffer),
    places: new Uint32Array(memory.buffer, jobsAt.value, 4 * mostTogether),
    inputAt: inputAt.value,
    outputAt: outputAt.value,
    outputSlack: outputSlack.value,
    inflate,
  }
}
