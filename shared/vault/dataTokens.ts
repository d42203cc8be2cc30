import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { errors, jwtVerify, SignJWT } from 'jose'
import * as z from 'zod'
import type { VirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { readColumns, writeColumns } from '#shared/columns/columnsCode.ts'
import type { RecordColumns } from '#shared/columns/RecordColumns.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { pairsOf } from './keyRing.ts'
import type { PlainPart } from './plainParts.ts'
import type { KeyPair, KeyStore } from './ports/KeyStore.ts'

const offset = z.number().int().nonnegative()

const file = {
  /** The manifest's key. */
  f: z.string(),
  /** The body's etag: a token is for the bytes that were planned, not for whatever replaced them. */
  g: z.string(),
}
/** From (included), to (excluded). */
const range = z.tuple([offset, offset])

const claims = z.discriminatedUnion('u', [
  /** `b`: bytes of the plain file; `v`: BGZF virtual offsets; `s`: bytes of the stored object, encrypted as it is. */
  z.object({
    ...file,
    u: z.enum(['b', 'v', 's']),
    r: range,
    /** Of whole records (`v`): the columns that are sent. */
    c: z.string().optional(),
  }),
  /** Segments encrypted for this ticket. */
  z.object({
    ...file,
    u: z.literal('c'),
    /** The salt of the keys. */
    n: z.base64url(),
    /** Number of the first segment. */
    i: offset,
    /** The plain bytes: kind, then the numbers of a `PlainPart`. */
    p: z.array(
      z.union([
        z.tuple([z.enum(['h', 'e', 'b']), offset, offset]),
        z.tuple([z.literal('v'), offset, offset, offset, offset, offset]),
      ]),
    ),
  }),
])

interface FileGrant {
  readonly manifestKey: string
  /** Of the body. */
  readonly etag: string
}
/** Bytes of the plain file, or of what a virtual range inflates to. */
export interface PlainGrant extends FileGrant {
  readonly unit: 'bytes' | 'virtual'
  readonly start: number
  readonly end: number
}
/** Whole records, or containers, of which only some columns are sent. */
export interface RecordsGrant extends FileGrant {
  readonly unit: 'records'
  /** Virtual offset. */
  readonly start: number
  /** Virtual offset. */
  readonly end: number
  readonly columns: RecordColumns
}
/** Bytes of the object as it is stored, which is encrypted. */
export interface StoredGrant extends FileGrant {
  readonly unit: 'stored'
  readonly start: number
  readonly end: number
}
/** Plain bytes, as Crypt4GH segments under the keys of a ticket's own. */
export interface SealedGrant extends FileGrant {
  readonly unit: 'sealed'
  readonly salt: Uint8Array
  /** Number of the first segment in the ticket's file: the parts begin with it. */
  readonly segment: number
  readonly parts: readonly PlainPart[]
}

/** What the bearer of a data URL may read, of this file as it was when the ticket was made. */
export type DataGrant = PlainGrant | RecordsGrant | StoredGrant | SealedGrant

const issuer = 'htsvault'
const audience = 'data'

const derived = new WeakMap<Uint8Array, Promise<CryptoKey>>()

/** The signing key comes out of the vault's key pair, so that a vault has one secret to keep and to rotate. */
function signingKey({ secretKey }: KeyPair): Promise<CryptoKey> {
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
  return new SignJWT({ f: grant.manifestKey, g: grant.etag, ...writeUnit(grant) })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime(now + seconds)
    .sign(await signingKey(await keys.keyPair()))
}

/** A token's grant, and the key pair that signed it: what else was derived for its ticket came from that one. */
export interface SignedGrant {
  readonly grant: DataGrant
  readonly signer: KeyPair
}

/** @throws HtsvaultError TOKEN_EXPIRED, TOKEN_INVALID */
export const readDataToken = async (token: string, keys: KeyStore): Promise<DataGrant> =>
  (await readSignedToken(token, keys)).grant

/** @throws HtsvaultError TOKEN_EXPIRED, TOKEN_INVALID */
export async function readSignedToken(token: string, keys: KeyStore): Promise<SignedGrant> {
  try {
    const { payload, signer } = await verified(token, pairsOf(await keys.keyPair()))
    return { grant: readGrant(claims.parse(payload)), signer }
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

const units = { bytes: 'b', virtual: 'v', stored: 's' } as const
const kinds = { header: 'h', eof: 'e', bytes: 'b' } as const

function writeUnit(grant: DataGrant) {
  if (grant.unit === 'records') return { u: 'v', r: [grant.start, grant.end], c: writeColumns(grant.columns) }
  if (grant.unit !== 'sealed') return { u: units[grant.unit], r: [grant.start, grant.end] }
  const { salt, segment, parts } = grant
  return {
    u: 'c',
    n: Buffer.from(salt).toString('base64url'),
    i: segment,
    p: parts.map(part =>
      part.kind === 'virtual'
        ? ['v', part.start, part.end, part.size, part.from, part.to]
        : [kinds[part.kind], part.start, part.end],
    ),
  }
}

function readGrant(claimed: z.infer<typeof claims>): DataGrant {
  const file = { manifestKey: claimed.f, etag: claimed.g }
  if (claimed.u !== 'c') {
    const [start, end] = claimed.r
    if (claimed.c !== undefined)
      return { ...file, unit: 'records', start, end, columns: readColumns(claimed.c) }
    const unit = ({ b: 'bytes', v: 'virtual', s: 'stored' } as const)[claimed.u]
    return { ...file, unit, start, end }
  }
  return {
    ...file,
    unit: 'sealed',
    salt: Buffer.from(claimed.n, 'base64url'),
    segment: claimed.i,
    parts: claimed.p.map((part): PlainPart => {
      const [, start, end] = part
      if (part[0] !== 'v')
        return { kind: ({ h: 'header', e: 'eof', b: 'bytes' } as const)[part[0]], start, end }
      const [, , , size, from, to] = part
      return { kind: 'virtual', start: start as VirtualOffset, end: end as VirtualOffset, size, from, to }
    }),
  }
}

/** The claims of a token, and which of the pairs signed it: while the key is rotated, the older one's are good too. */
async function verified(token: string, pairs: readonly KeyPair[]) {
  const options = { algorithms: ['HS256'], issuer, audience }
  const check = async (signer: KeyPair) => ({
    signer,
    payload: (await jwtVerify(token, await signingKey(signer), options)).payload,
  })
  for (const pair of pairs.slice(0, -1))
    try {
      return await check(pair)
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    }
  return check(pairs.at(-1)!)
}
