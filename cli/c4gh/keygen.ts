import { writeSync } from 'node:fs'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { OutputFile, refuseExisting } from '../files/OutputFile.ts'
import { newPassphrase, type PassphraseOptions } from './passphrase.ts'

export interface KeygenOptions extends PassphraseOptions {
  readonly sk: string
  readonly pk: string
  readonly comment?: string
  readonly nocrypt?: boolean
  readonly force?: boolean
}

/** Makes a key pair: a private key file that only its owner can read, and a public one. */
export async function keygen({
  sk,
  pk,
  comment,
  nocrypt,
  force = false,
  ...sources
}: KeygenOptions): Promise<void> {
  refuseExisting(sk, force)
  refuseExisting(pk, force)
  const passphrase = nocrypt === true ? undefined : await newPassphrase(sk, sources)
  const { secretKey, publicKey } = generateKeyPair(nodeBackend)
  const privatePem = await writePrivateKey(secretKey, nodeBackend, { passphrase, comment })
  wipe(secretKey)
  writeWhole(sk, privatePem, force, 0o600)
  writeWhole(pk, writePublicKey(publicKey), force)
  console.error(`private key: ${sk}${nocrypt === true ? ' (not locked)' : ''}\npublic key:  ${pk}`)
}

function writeWhole(path: string, text: string, force: boolean, mode = 0o666): void {
  const output = new OutputFile(path, { force, mode })
  try {
    writeSync(output.fd, text)
    output.commit()
  } finally {
    output.abort()
  }
}
