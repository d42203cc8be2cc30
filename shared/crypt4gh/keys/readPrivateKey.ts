import type { Backend } from '../Backend.ts'
import {
  corruptKey,
  passphraseMissing,
  unknownKeyFormat,
  unsupportedKey,
  wrongPassphrase,
} from '../errors.ts'
import { wipe } from '../wipe.ts'
import { deriveKey } from './kdf.ts'
import { KeyFields, textOf } from './KeyFields.ts'
import { type KeyPair, keyPairOf } from './KeyPair.ts'
import { maxKeyFileBytes, readPem } from './pem.ts'

/** Asked only where the key is locked. */
export type Passphrase = () => Promise<string>

export interface PrivateKey extends KeyPair {
  readonly comment?: string
}

export const c4ghMagic = 'c4gh-v1'

/**
 * Reads a private key: `c4gh-v1` under either label, locked or not; OpenSSH ed25519; raw 32 bytes, as such or as PEM.
 * The caller wipes `bytes` and, in the end, the secret key.
 * @throws HtsvaultError KEY_FORMAT_UNKNOWN, KEY_CORRUPT, KEY_METHOD_UNSUPPORTED, KEY_PASSPHRASE_MISSING,
 * KEY_WRONG_PASSPHRASE.
 */
export async function readPrivateKey(
  bytes: Uint8Array,
  backend: Backend,
  passphrase?: Passphrase,
): Promise<PrivateKey> {
  if (bytes.length === 32) return keyPairOf(Uint8Array.from(bytes), backend)
  const pem = bytes.length <= maxKeyFileBytes ? readPem(textOf(bytes)) : undefined
  if (!pem) throw unknownKeyFormat('this is no private key: expected c4gh-v1, OpenSSH, or raw 32 bytes')
  try {
    switch (pem.label) {
      case 'CRYPT4GH PRIVATE KEY':
      case 'CRYPT4GH ENCRYPTED PRIVATE KEY': {
        if (pem.bytes.length === 32) return keyPairOf(Uint8Array.from(pem.bytes), backend)
        const { secretKey, comment } = await readC4ghSecret(pem.bytes, backend, passphrase)
        return { ...keyPairOf(secretKey, backend), ...(comment !== undefined && { comment }) }
      }
      case 'OPENSSH PRIVATE KEY': {
        const { readOpensshSecret } = await import('./openssh.ts')
        return keyPairOf(await readOpensshSecret(pem.bytes, passphrase), backend)
      }
      case 'CRYPT4GH PUBLIC KEY':
        throw unknownKeyFormat('this is a public key where a private one is expected')
      default:
        throw unsupportedKey('a PEM file of another kind of key')
    }
  } finally {
    wipe(pem.bytes)
  }
}

async function readC4ghSecret(
  bytes: Uint8Array,
  backend: Backend,
  passphrase?: Passphrase,
): Promise<{ secretKey: Uint8Array; comment?: string }> {
  const fields = new KeyFields(bytes)
  if (textOf(fields.take(c4ghMagic.length)) !== c4ghMagic) throw corruptKey('it is not c4gh-v1 inside')
  const kdf = textOf(fields.string16())
  const kdfOptions = kdf === 'none' ? undefined : new KeyFields(fields.string16())
  const cipher = textOf(fields.string16())
  const blob = fields.string16()
  const comment = fields.left > 0 ? { comment: textOf(fields.string16()) } : {}

  if (!kdfOptions) {
    if (cipher !== 'none') throw unsupportedKey('a private key that is locked without a passphrase')
    if (blob.length !== 32) throw corruptKey(`a secret of ${blob.length} bytes; 32 are expected`)
    return { secretKey: Uint8Array.from(blob), ...comment }
  }
  if (cipher !== 'chacha20_poly1305') throw unsupportedKey('the private key is locked by an unknown cipher')
  if (blob.length !== 60) throw corruptKey(`a locked secret of ${blob.length} bytes; 60 are expected`)
  if (!passphrase) throw passphraseMissing()
  const rounds = kdfOptions.u32()
  const salt = kdfOptions.take(kdfOptions.left)
  const key = await deriveKey(kdf, await passphrase(), salt, rounds, 32)
  const secretKey = new Uint8Array(32)
  const opened = backend.cipher(key).open(blob.subarray(0, 12), blob.subarray(12), secretKey)
  wipe(key)
  if (!opened) throw wrongPassphrase()
  return { secretKey, ...comment }
}
