import { fstatSync, writeFileSync } from 'node:fs'
import { randomBytes } from '#shared/crypt4gh/Backend.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { magic } from '#shared/crypt4gh/header/Header.ts'
import { readHeaderOf } from '#shared/crypt4gh/header/readHeaderOf.ts'
import { sameBytes } from '#shared/crypt4gh/header/openPackets.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import type { KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { openCrypt4ghSource } from '#shared/crypt4gh/openCrypt4ghSource.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { fdSource } from '../files/fdSource.ts'
import { writeExactly } from '../files/fdStreams.ts'
import { fileError } from '../files/fileError.ts'
import { encryptedSuffix, findInputs } from './findInputs.ts'
import { type FilesOptions, type FileWork, forEachFile } from './forEachFile.ts'
import type { PassphraseOptions } from './passphrase.ts'
import { runPieces } from './pieces/runPieces.ts'
import { readKeyPairs, readPublicKeys } from './readKeys.ts'
import { standardInput, writeStandardOutput } from './standardStreams.ts'

export interface EncryptOptions extends FilesOptions, PassphraseOptions {
  readonly recipient_pk: readonly string[]
  readonly sk?: string
  readonly header?: string
  readonly threads: number
}

export async function encrypt(files: readonly string[], options: EncryptOptions): Promise<void> {
  const recipients = readPublicKeys(options.recipient_pk)
  const writer = options.sk === undefined ? undefined : (await readKeyPairs([options.sk], options))[0]
  try {
    if (files.length === 0) await encryptStandardInput(recipients, writer, options)
    else
      await forEachFile(
        'Encrypting',
        findInputs(files, 'encrypt'),
        path => path + encryptedSuffix,
        options,
        file => encryptFile(file, recipients, writer, options.threads),
      )
  } finally {
    wipe(writer?.secretKey)
  }
}

async function encryptStandardInput(
  recipients: readonly Uint8Array[],
  writer: KeyPair | undefined,
  { header, force = false }: EncryptOptions,
): Promise<void> {
  const encrypted = encryptStream(standardInput(), { recipients, writer, reuseOutput: true }, nodeBackend)
  if (header !== undefined) {
    const { value } = await encrypted.next()
    try {
      writeFileSync(header, value!, { flag: force ? 'w' : 'wx' })
    } catch (error) {
      throw fileError(error, header)
    }
  }
  await writeStandardOutput(encrypted)
}

async function encryptFile(
  { input, output, onBytes }: FileWork,
  recipients: readonly Uint8Array[],
  writer: KeyPair | undefined,
  threads: number,
) {
  const { source } = input
  const start = await source.read(0, Math.min(source.size, magic.length))
  if (sameBytes(start, Uint8Array.from(magic)))
    throw new HtsvaultError('ALREADY_ENCRYPTED', 'it is encrypted already', {
      hint: '`htsvault c4gh reencrypt` gives it to other readers',
    })
  const dataKey = randomBytes(32, nodeBackend)
  const header = writeHeader({ dataKeys: [dataKey], recipients, writer }, nodeBackend)
  writeExactly(output.fd, header, 0)
  const job = {
    direction: 'encrypt',
    input: input.fd,
    inputStart: 0,
    inputBytes: source.size,
    output: output.fd,
    outputStart: header.length,
    dataKeys: [dataKey],
  } as const
  await runPieces(job, threads, onBytes)
  return {
    async verify() {
      const written = fdSource(output.fd, fstatSync(output.fd).size, output.path)
      const { length } = await readHeaderOf(written)
      if (!sameBytes(await written.read(0, length), header))
        throw new HtsvaultError('VERIFICATION_FAILED', 'the header was not written as it should be')
      const decrypted = openCrypt4ghSource(written, job, { headerLength: length }, nodeBackend)
      const { verifyPlain } = await import('./verifyPlain.ts')
      await verifyPlain(decrypted, fdSource(input.fd, fstatSync(input.fd).size, input.path))
    },
  }
}
