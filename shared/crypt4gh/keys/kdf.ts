import { corruptKey, passphraseMissing, unsupportedKey } from '../errors.ts'

/** How a passphrase is stretched to a key, by its name in c4gh-v1 files. */
export type Kdf = 'scrypt' | 'bcrypt' | 'pbkdf2_hmac_sha256'

/** Rounds that are written: what the reference implementation writes. scrypt has its own parameters. */
export const defaultRounds: Record<Kdf, number> = { scrypt: 0, bcrypt: 100, pbkdf2_hmac_sha256: 100_000 }

/** Beyond these a file is hostile rather than careful: about ten seconds each. */
const maxRounds: Record<Kdf, number> = { scrypt: 0xffffffff, bcrypt: 1000, pbkdf2_hmac_sha256: 10_000_000 }

const isKdf = (name: string): name is Kdf => Object.hasOwn(defaultRounds, name)

/**
 * Derives `length` bytes from a passphrase. The libraries load on first use: most runs need none of them.
 * @throws HtsvaultError KEY_METHOD_UNSUPPORTED, KEY_CORRUPT, KEY_PASSPHRASE_MISSING (an empty one).
 */
export async function deriveKey(
  name: string,
  passphrase: string,
  salt: Uint8Array,
  rounds: number,
  length: number,
): Promise<Uint8Array> {
  if (!isKdf(name)) throw unsupportedKey('the private key is locked by an unknown key derivation')
  if (rounds > maxRounds[name])
    throw unsupportedKey(`${name} with ${rounds} rounds; at most ${maxRounds[name]} are run`)
  if ((rounds === 0 && name !== 'scrypt') || salt.length === 0)
    throw corruptKey(`${name} without rounds or salt`)
  if (passphrase === '') throw passphraseMissing()
  const secret = new TextEncoder().encode(passphrase)
  switch (name) {
    case 'scrypt': {
      const { scryptAsync } = await import('@noble/hashes/scrypt.js')
      return scryptAsync(secret, salt, { N: 16384, r: 8, p: 1, dkLen: length })
    }
    case 'pbkdf2_hmac_sha256': {
      const { pbkdf2Async } = await import('@noble/hashes/pbkdf2.js')
      const { sha256 } = await import('@noble/hashes/sha2.js')
      return pbkdf2Async(sha256, secret, salt, { c: rounds, dkLen: length })
    }
    case 'bcrypt': {
      const { default: bcrypt } = await import('bcrypt-pbkdf')
      const key = new Uint8Array(length)
      if (bcrypt.pbkdf(secret, secret.length, salt, salt.length, key, length, rounds) !== 0)
        throw corruptKey('bcrypt refuses its parameters')
      return key
    }
  }
}
