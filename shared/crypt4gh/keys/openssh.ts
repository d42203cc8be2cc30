import { corruptKey, passphraseMissing, unsupportedKey, wrongPassphrase } from '../errors.ts'
import { wipe } from '../wipe.ts'
import { deriveKey } from './kdf.ts'
import { KeyFields, textOf } from './KeyFields.ts'
import type { Passphrase } from './readPrivateKey.ts'

const magic = 'openssh-key-v1\0'

/** Key length in bytes of the ciphers that ssh-keygen offers and that need no MAC; the IV is 16 bytes. */
const ciphers: Record<string, number> = {
  'aes128-ctr': 16,
  'aes192-ctr': 24,
  'aes256-ctr': 32,
  'aes256-cbc': 32,
}

/**
 * The X25519 secret key of an OpenSSH ed25519 private key: SHA-512 of its seed, first 32 bytes, clamped (RFC 8032
 * §5.1.5, as the Python reference does).
 * @throws HtsvaultError KEY_CORRUPT, KEY_METHOD_UNSUPPORTED, KEY_WRONG_PASSPHRASE, KEY_PASSPHRASE_MISSING.
 */
export async function readOpensshSecret(bytes: Uint8Array, passphrase?: Passphrase): Promise<Uint8Array> {
  const fields = new KeyFields(bytes)
  if (textOf(fields.take(magic.length)) !== magic) throw corruptKey('it is not an OpenSSH key inside')
  const cipher = textOf(fields.string32())
  const kdf = textOf(fields.string32())
  const kdfOptions = fields.string32()
  if (fields.u32() !== 1) throw unsupportedKey('an OpenSSH file with more than one key')
  fields.string32()
  const sealed = fields.string32()
  const opened =
    cipher === 'none' ? Uint8Array.from(sealed) : await unlock(cipher, kdf, kdfOptions, sealed, passphrase)
  const secret = await readSecret(opened, cipher !== 'none')
  wipe(opened)
  return secret
}

async function unlock(
  cipher: string,
  kdf: string,
  kdfOptions: Uint8Array,
  sealed: Uint8Array,
  passphrase?: Passphrase,
): Promise<Uint8Array> {
  const keyLength = Object.hasOwn(ciphers, cipher) ? ciphers[cipher]! : undefined
  if (keyLength === undefined || kdf !== 'bcrypt')
    throw unsupportedKey(
      'the OpenSSH key is locked by a cipher that is not read here; `ssh-keygen -p -Z aes256-ctr` changes it',
    )
  if (sealed.length === 0 || sealed.length % 16 !== 0) throw corruptKey('its locked part has an odd length')
  if (!passphrase) throw passphraseMissing()
  const options = new KeyFields(kdfOptions)
  const salt = options.string32()
  const key = await deriveKey('bcrypt', await passphrase(), salt, options.u32(), keyLength + 16)
  const { cbc, ctr } = await import('@noble/ciphers/aes.js')
  const aes = cipher.endsWith('ctr') ? ctr : cbcUnpadded
  try {
    return aes(key.subarray(0, keyLength), key.subarray(keyLength)).decrypt(sealed)
  } finally {
    wipe(key)
  }

  function cbcUnpadded(k: Uint8Array, iv: Uint8Array) {
    return cbc(k, iv, { disablePadding: true })
  }
}

async function readSecret(opened: Uint8Array, locked: boolean): Promise<Uint8Array> {
  const fields = new KeyFields(opened)
  if (fields.u32() !== fields.u32()) throw locked ? wrongPassphrase() : corruptKey('its check numbers differ')
  if (textOf(fields.string32()) !== 'ssh-ed25519')
    throw unsupportedKey('an OpenSSH key of another type; Crypt4GH takes ed25519 (`ssh-keygen -t ed25519`)')
  fields.string32()
  const seed = fields.string32()
  if (seed.length !== 64) throw corruptKey(`an ed25519 key of ${seed.length} bytes`)
  const { sha512 } = await import('@noble/hashes/sha2.js')
  const hash = sha512(seed.subarray(0, 32))
  const secret = hash.slice(0, 32)
  wipe(hash)
  secret[0]! &= 248
  secret[31]! &= 127
  secret[31]! |= 64
  return secret
}
