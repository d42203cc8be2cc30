import { fstatSync, readFileSync } from 'node:fs'
import { coalesce } from '#shared/bytes/ByteRange.ts'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { openHeader, type OpenedHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeaderOf } from '#shared/crypt4gh/header/readHeaderOf.ts'
import type { KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { openCrypt4ghSource } from '#shared/crypt4gh/openCrypt4ghSource.ts'
import { plainSize } from '#shared/crypt4gh/sizes.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { fdSource } from '../files/fdSource.ts'
import { writeFd } from '../files/fdStreams.ts'
import { fileError } from '../files/fileError.ts'
import { encryptedSuffix, findInputs } from './findInputs.ts'
import { type FilesOptions, type FileWork, forEachFile } from './forEachFile.ts'
import type { Range } from './parseRange.ts'
import type { PassphraseOptions } from './passphrase.ts'
import { runPieces } from './pieces/runPieces.ts'
import { readKeyPairs, readPublicKeys } from './readKeys.ts'
import { standardInput, writeStandardOutput } from './standardStreams.ts'
import { verifyPlain } from './verifyPlain.ts'

export interface DecryptOptions extends FilesOptions, PassphraseOptions {
  readonly sk: readonly string[]
  readonly sender_pk?: string
  readonly header?: string
  readonly range?: readonly Range[]
  readonly threads: number
}

export async function decrypt(files: readonly string[], options: DecryptOptions): Promise<void> {
  const keys = await readKeyPairs(options.sk, options)
  const writer = options.sender_pk === undefined ? undefined : readPublicKeys([options.sender_pk])[0]
  try {
    if (files.length === 0) {
      const { header, range: ranges } = options
      const input = header === undefined ? standardInput() : joined(readHeaderFile(header), standardInput())
      await writeStandardOutput(
        decryptStream(input, keys, nodeBackend, { writer, ranges, reuseOutput: true }),
      )
    } else
      await forEachFile('Decrypting', findInputs(files, 'decrypt'), plainName, options, file =>
        decryptFile(file, keys, writer, options),
      )
  } finally {
    wipe(...keys.map(({ secretKey }) => secretKey))
  }
}

function plainName(path: string): string {
  if (path.endsWith(encryptedSuffix)) return path.slice(0, -encryptedSuffix.length)
  throw new HtsvaultError('OUTPUT_NAME_UNKNOWN', `its name does not end in ${encryptedSuffix}`, {
    place: { file: path },
    hint: `redirect: htsvault c4gh decrypt -s SEC < ${path} > OUT`,
  })
}

async function decryptFile(
  { input, output, onBytes }: FileWork,
  keys: readonly KeyPair[],
  writer: Uint8Array | undefined,
  { range, threads }: DecryptOptions,
) {
  const header = await readHeaderOf(input.source)
  const open = openHeader(header, keys, nodeBackend, { writer })
  const plain = openCrypt4ghSource(input.source, open, { headerLength: header.length }, nodeBackend)
  if (open.editList || range)
    for (const { start, end } of coalesce(range ?? [{ start: 0, end: plain.size }]))
      for await (const chunk of plain.stream(Math.min(start, plain.size), Math.min(end, plain.size))) {
        await writeFd(output.fd, chunk, output.path)
        onBytes(chunk.length)
      }
  else await decryptWhole({ input, output, onBytes }, header.length, open, threads)
  return {
    verify: () => verifyPlain(plain, fdSource(output.fd, fstatSync(output.fd).size, output.path)),
  }
}

async function decryptWhole(
  { input, output, onBytes }: FileWork,
  headerLength: number,
  { dataKeys }: OpenedHeader,
  threads: number,
): Promise<void> {
  const inputBytes = input.source.size - headerLength
  // A length that cannot be is told before the work, not after it.
  plainSize(inputBytes)
  const job = {
    direction: 'decrypt',
    input: input.fd,
    inputStart: headerLength,
    inputBytes,
    output: output.fd,
    outputStart: 0,
    dataKeys,
  } as const
  await runPieces(job, threads, onBytes)
}

function readHeaderFile(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw fileError(error, path)
  }
}

async function* joined(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield first
  yield* rest
}
