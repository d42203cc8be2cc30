import { readFileSync, statSync } from 'node:fs'
import type { KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { maxKeyFileBytes } from '#shared/crypt4gh/keys/pem.ts'
import { readPrivateKey } from '#shared/crypt4gh/keys/readPrivateKey.ts'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { fileError } from '../files/fileError.ts'
import { passphraseFor, type PassphraseOptions } from './passphrase.ts'

/** Public keys, each once. @throws HtsvaultError with the key file's name. */
export function readPublicKeys(files: readonly string[]): Uint8Array[] {
  const keys = new Map<string, Uint8Array>()
  for (const file of files) {
    const key = readKeyFile(file, readPublicKey)
    keys.set(key.join(), key)
  }
  return [...keys.values()]
}

/** Private keys, C4GH_SECRET_KEY's where none is named. @throws HtsvaultError with the key file's name. */
export async function readKeyPairs(files: readonly string[], options: PassphraseOptions): Promise<KeyPair[]> {
  const fallback = process.env['C4GH_SECRET_KEY']
  const named = files.length === 0 && fallback !== undefined ? [fallback] : files
  if (named.length === 0)
    throw new HtsvaultError('KEY_MISSING', 'no private key was named', {
      hint: 'give it with -s FILE, or in C4GH_SECRET_KEY',
    })
  const pairs: KeyPair[] = []
  for (const file of named) {
    const bytes = readKeyFile(file, content => content)
    try {
      pairs.push(await readPrivateKey(bytes, nodeBackend, passphraseFor(file, options)))
    } catch (error) {
      throw fileError(error, file)
    } finally {
      wipe(bytes)
    }
  }
  return pairs
}

function readKeyFile<Key>(file: string, read: (bytes: Uint8Array) => Key): Key {
  try {
    const { size } = statSync(file)
    // A pipe has no size: process substitution is a fine place for a key.
    if (size > maxKeyFileBytes) throw new HtsvaultError('KEY_FORMAT_UNKNOWN', 'this is too long for a key')
    return read(readFileSync(file))
  } catch (error) {
    throw fileError(error, file)
  }
}
