import type { Backend } from './Backend.ts'
import type { BatchOptions } from './body/batchBuffer.ts'
import { Decryptor } from './body/Decryptor.ts'
import { keptRanges, throughEditList } from './editList.ts'
import { HeaderCollector } from './header/HeaderCollector.ts'
import { openHeader } from './header/openHeader.ts'
import type { OpenOptions } from './header/openPackets.ts'
import type { KeyPair } from './keys/KeyPair.ts'
import { wipe } from './wipe.ts'

export interface DecryptStreamOptions extends OpenOptions, BatchOptions {
  /** What to hand out, in bytes of what a reader sees, the edit list applied; everything without it. */
  readonly ranges?: readonly { readonly start: number; readonly end: number }[] | undefined
}

/**
 * Decrypts a file as it goes by, header first, the edit list applied.
 * @throws HtsvaultError as readHeader, openHeader and Decryptor.
 */
export async function* decryptStream(
  cipher: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  keys: KeyPair | readonly KeyPair[],
  backend: Backend,
  { writer, ranges, ...batches }: DecryptStreamOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const collector = new HeaderCollector()
  let decryptor: Decryptor | undefined
  for await (const chunk of cipher) {
    const rest = collector.push(chunk)
    if (collector.header) yield* (decryptor ??= start()).push(rest)
  }
  collector.finish()
  yield* (decryptor ?? start()).finish()

  function start(): Decryptor {
    const { dataKeys, editList } = openHeader(collector.header!, keys, backend, { writer })
    const kept = editList || ranges ? keptRanges(editList ?? []) : undefined
    const keep = kept && ranges ? throughEditList(ranges, kept) : kept
    const made = new Decryptor(dataKeys, backend, { keep, ...batches })
    wipe(...dataKeys)
    return made
  }
}
