import { type Backend, randomBytes } from '../Backend.ts'
import { wipe } from '../wipe.ts'
import { defaultRounds, deriveKey, type Kdf } from './kdf.ts'
import { writePem } from './pem.ts'
import { c4ghMagic } from './readPrivateKey.ts'

export interface PrivateKeyOptions {
  /** Locks the key; without it the file is as secret as the key. */
  readonly passphrase?: string | undefined
  /** Default scrypt. */
  readonly kdf?: Kdf | undefined
  /** Kept in the file, unlocked. */
  readonly comment?: string | undefined
}

/**
 * A private key as a `c4gh-v1` PEM file. A locked one gets the ENCRYPTED label: some readers take what the plain
 * label stands over for the key itself.
 */
export async function writePrivateKey(
  secretKey: Uint8Array,
  backend: Backend,
  { passphrase, kdf = 'scrypt', comment }: PrivateKeyOptions = {},
): Promise<string> {
  const fields =
    passphrase === undefined
      ? [text('none'), text('none'), secretKey]
      : await lockedFields(secretKey, passphrase, kdf, backend)
  if (comment !== undefined) fields.push(text(comment))
  const bytes = join([text(c4ghMagic), ...fields.flatMap(field => [u16(field.length), field])])
  const pem = writePem({
    label: passphrase === undefined ? 'CRYPT4GH PRIVATE KEY' : 'CRYPT4GH ENCRYPTED PRIVATE KEY',
    bytes,
  })
  wipe(bytes)
  return pem
}

async function lockedFields(
  secretKey: Uint8Array,
  passphrase: string,
  kdf: Kdf,
  backend: Backend,
): Promise<Uint8Array[]> {
  const rounds = defaultRounds[kdf]
  const salt = randomBytes(16, backend)
  const nonce = randomBytes(12, backend)
  const key = await deriveKey(kdf, passphrase, salt, rounds, 32)
  const sealed = new Uint8Array(48)
  backend.cipher(key).seal(nonce, secretKey, sealed)
  wipe(key)
  const kdfOptions = join([u16(0), u16(0), salt])
  new DataView(kdfOptions.buffer).setUint32(0, rounds)
  return [text(kdf), kdfOptions, text('chacha20_poly1305'), join([nonce, sealed])]
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff)

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
