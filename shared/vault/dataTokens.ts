import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { HtsvaultError } from '#shared/errors.ts'
import type { KeyStore } from './ports/KeyStore.ts'

const offset = z.number().int().nonnegative()

const claims = z.object({
  /** The manifest's key. */
  f: z.string(),
  /** The body's etag: a token is for the bytes that were planned, not for whatever replaced them. */
  g: z.string(),
  /** `b`: bytes of the plain file; `v`: BGZF virtual offsets. */
  u: z.enum(['b', 'v']),
  /** From (included), to (excluded). */
  r: z.tuple([offset, offset]),
})

/** What the bearer of a data URL may read: these bytes of this file as it was when the ticket was made. */
export interface DataGrant {
  readonly manifestKey: string
  readonly etag: string
  readonly unit: 'bytes' | 'virtual'
  readonly start: number
  readonly end: number
}

const issuer = 'htsvault'
const audience = 'data'

const derived = new WeakMap<Uint8Array, Promise<CryptoKey>>()

/** The signing key comes out of the vault's key pair, so that a vault has one secret to keep and to rotate. */
async function signingKey(keys: KeyStore): Promise<CryptoKey> {
  const { secretKey } = await keys.keyPair()
  const found = derived.get(secretKey)
  if (found) return found
  const bytes = hkdf(sha256, secretKey, undefined, new TextEncoder().encode('htsvault data token v1'), 32)
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const made = crypto.subtle.importKey('raw', bytes, hmac, false, ['sign', 'verify'])
  derived.set(secretKey, made)
  return made
}

/** A token for one data URL, good for `seconds` from now. */
export async function signDataToken(grant: DataGrant, keys: KeyStore, seconds: number): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({
    f: grant.manifestKey,
    g: grant.etag,
    u: grant.unit === 'bytes' ? 'b' : 'v',
    r: [grant.start, grant.end],
  })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime(now + seconds)
    .sign(await signingKey(keys))
}

/** @throws HtsvaultError TOKEN_EXPIRED, TOKEN_INVALID */
export async function readDataToken(token: string, keys: KeyStore): Promise<DataGrant> {
  try {
    const { payload } = await jwtVerify(token, await signingKey(keys), {
      algorithms: ['HS256'],
      issuer,
      audience,
    })
    const { f, g, u, r } = claims.parse(payload)
    return { manifestKey: f, etag: g, unit: u === 'b' ? 'bytes' : 'virtual', start: r[0], end: r[1] }
  } catch (cause) {
    if (cause instanceof HtsvaultError) throw cause
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_JWT_EXPIRED')
      throw new HtsvaultError('TOKEN_EXPIRED', 'the data URL has expired', {
        hint: 'Ask for a new ticket.',
        cause,
      })
    throw new HtsvaultError('TOKEN_INVALID', 'the data URL is not one that this vault made', {
      hint: 'Ask for a ticket, and use its URLs as they are.',
      cause,
    })
  }
}
