import { inflateModule } from './inflateModule.ts'

/** The most bytes that `inflateRaw` takes, and the most that it gives. */
export const maxInflate = 65536

/** What wasm/inflate.ts exports. */
interface Inflater {
  readonly memory: WebAssembly.Memory
  /** Where the compressed bytes go and where the plain ones are. */
  readonly inputAt: WebAssembly.Global<'i32'>
  readonly outputAt: WebAssembly.Global<'i32'>
  readonly inflate: (inSize: number, outSize: number) => number
}

/** Of this thread; compiled when it is first needed. */
let inflater: { inflate: Inflater['inflate']; input: Uint8Array; output: Uint8Array } | undefined

/**
 * Inflates raw DEFLATE (RFC 1951) that is known to make exactly `size` bytes. Undefined where it does not: what is
 * wrong then is for zlib to say. The result lies where the next call of this thread writes: it is valid until then.
 */
export function inflateRaw(compressed: Uint8Array, size: number): Uint8Array | undefined {
  if (compressed.length > maxInflate || size > maxInflate) return undefined
  inflater ??= instantiate()
  inflater.input.set(compressed)
  return inflater.inflate(compressed.length, size) ? inflater.output.subarray(0, size) : undefined
}

function instantiate(): NonNullable<typeof inflater> {
  const wasm = Uint8Array.from(atob(inflateModule), c => c.charCodeAt(0))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm))
  const { memory, inputAt, outputAt, inflate } = exports as unknown as Inflater
  return {
    inflate,
    input: new Uint8Array(memory.buffer, inputAt.value, maxInflate),
    output: new Uint8Array(memory.buffer, outputAt.value, maxInflate),
  }
}
