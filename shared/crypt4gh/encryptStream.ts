import { type Backend, randomBytes } from './Backend.ts'
import type { BatchOptions } from './body/batchBuffer.ts'
import { Encryptor } from './body/Encryptor.ts'
import { writeHeader } from './header/writeHeader.ts'
import type { KeyPair } from './keys/KeyPair.ts'
import { wipe } from './wipe.ts'

export interface EncryptStreamOptions extends BatchOptions {
  /** Public keys of those who are to read the file. */
  readonly recipients: readonly Uint8Array[]
  /** Who writes; without it a key pair that is forgotten at once. */
  readonly writer?: KeyPair | undefined
}

/**
 * Encrypts a file as it goes by: the header, then the body in batches, under a new data key.
 * @throws HtsvaultError KEY_INVALID, CRYPT4GH_HEADER_TOO_LARGE.
 */
export async function* encryptStream(
  plain: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { recipients, writer, ...batches }: EncryptStreamOptions,
  backend: Backend,
): AsyncGenerator<Uint8Array, void> {
  const dataKey = randomBytes(32, backend)
  try {
    yield writeHeader({ dataKeys: [dataKey], recipients, writer }, backend)
    const encryptor = new Encryptor(dataKey, backend, batches)
    for await (const chunk of plain) yield* encryptor.push(chunk)
    yield* encryptor.finish()
  } finally {
    wipe(dataKey)
  }
}
