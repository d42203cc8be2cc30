import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { HeaderCollector } from '#shared/crypt4gh/header/HeaderCollector.ts'
import { readHeaderOf } from '#shared/crypt4gh/header/readHeaderOf.ts'
import { reencryptHeader, type Reencryption } from '#shared/crypt4gh/header/reencryptHeader.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { writeFd } from '../files/fdStreams.ts'
import { findInputs } from './findInputs.ts'
import { forEachFile } from './forEachFile.ts'
import type { PassphraseOptions } from './passphrase.ts'
import { readKeyPairs, readPublicKeys } from './readKeys.ts'
import { standardInput, writeStandardOutput } from './standardStreams.ts'

export interface ReencryptOptions extends PassphraseOptions {
  readonly recipient_pk: readonly string[]
  readonly sk: readonly string[]
  readonly trim?: boolean
  readonly headerOnly?: boolean
  readonly outputDir?: string
  readonly force?: boolean
}

export async function reencrypt(files: readonly string[], options: ReencryptOptions): Promise<void> {
  const recipients = readPublicKeys(options.recipient_pk)
  const keys = await readKeyPairs(options.sk, options)
  const how = { keys, recipients, keepOthers: options.trim !== true }
  const { headerOnly = false } = options
  try {
    if (files.length === 0) {
      await writeStandardOutput(reencryptStream(standardInput(), how, headerOnly))
      return
    }
    if (options.outputDir === undefined && options.force !== true)
      throw new HtsvaultError('OUTPUT_EXISTS', 'each file would be replaced by its re-encrypted self', {
        hint: 'give --output-dir FOLDER, or --force to replace them',
      })
    await forEachFile(
      'Re-encrypting',
      findInputs(files, 'decrypt'),
      path => path,
      options,
      async file => {
        for await (const chunk of reencryptFile(file.input.source, how, headerOnly)) {
          await writeFd(file.output.fd, chunk, file.output.path)
          file.onBytes(chunk.length)
        }
        return { verify: async () => undefined }
      },
    )
  } finally {
    wipe(...keys.map(({ secretKey }) => secretKey))
  }
}

async function* reencryptStream(
  chunks: AsyncIterable<Uint8Array>,
  how: Reencryption,
  headerOnly: boolean,
): AsyncGenerator<Uint8Array, void> {
  const collector = new HeaderCollector()
  let begun = false
  for await (const chunk of chunks) {
    const rest = collector.push(chunk)
    if (!collector.header) continue
    if (!begun) yield reencryptHeader(collector.header, how, nodeBackend)
    begun = true
    if (headerOnly) return
    if (rest.length > 0) yield rest
  }
  collector.finish()
}

async function* reencryptFile(
  source: ByteSource,
  how: Reencryption,
  headerOnly: boolean,
): AsyncGenerator<Uint8Array, void> {
  const header = await readHeaderOf(source)
  yield reencryptHeader(header, how, nodeBackend)
  if (!headerOnly) yield* source.stream(header.length, source.size)
}
