import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { HtsgetError } from '#shared/htsget/HtsgetError.ts'
import type { Identity } from '../Identity.ts'
import { issuerDocuments, issuerUnavailable, type IssuerDocumentsOptions } from './issuerDocuments.ts'
import { issuerKeys } from './issuerKeys.ts'
import type { IssuerSettings } from './IssuerSettings.ts'

/**
 * Who asks, by the `Authorization` header of a request.
 * @throws HtsgetError InvalidAuthentication for whatever is not a good bearer token; HtsvaultError ISSUER_UNAVAILABLE
 * where that cannot be told, since the issuer does not answer
 */
export type Authenticate = (authorization: string | undefined) => Promise<Identity>

export interface AuthenticatorOptions extends IssuerDocumentsOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Keys that nobody knows are looked for once in so many milliseconds. */
  readonly cooldown?: number
}

/** API Gateway takes 10,240 bytes of headers. */
const maxTokenLength = 10_240

/** Checks bearer tokens (RFC 6750 §2.1) that are JWTs of these issuers, and keeps the issuers' keys. */
export function authenticator(
  issuers: readonly IssuerSettings[],
  { now = Date.now, cooldown = 30_000, ...limits }: AuthenticatorOptions = {},
): Authenticate {
  const documents = issuerDocuments(limits)
  const known = new Map(
    issuers.map(settings => [
      settings.issuer,
      { settings, keys: issuerKeys(settings.issuer, documents, cooldown) },
    ]),
  )
  return async authorization => {
    const token = bearerToken(authorization)
    try {
      // Only whose keys to look at; nothing else of a token counts before its signature does.
      const { iss } = decodeJwt(token)
      const issuer = known.get(iss ?? '')
      if (!issuer) throw refused()
      return await verify(token, issuer.settings, issuer.keys, new Date(now()))
    } catch (error) {
      if (error instanceof errors.JWKSInvalid || error instanceof errors.JWKInvalid)
        throw issuerUnavailable('the keys of the issuer cannot be used', error)
      throw error instanceof errors.JOSEError ? refused(error) : error
    }
  }
}

async function verify(
  token: string,
  settings: IssuerSettings,
  keys: JWTVerifyGetKey,
  currentDate: Date,
): Promise<Identity> {
  const { issuer, audience, audienceClaim, algorithms, clockSkewSeconds, groupsClaim } = settings
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    ...(audienceClaim === 'aud' && { audience: [...audience] }),
    algorithms: [...algorithms],
    clockTolerance: clockSkewSeconds,
    currentDate,
    requiredClaims: ['exp', 'sub'],
  })
  const { sub, exp } = payload
  if (typeof sub !== 'string' || sub === '' || exp === undefined) throw refused()
  if (audienceClaim !== 'aud' && !audience.includes(textOf(payload, audienceClaim))) throw refused()
  return {
    issuer,
    subject: sub,
    groups: groupsOf(payload, groupsClaim),
    claims: payload,
    // By the issuer's clock, which may be behind ours.
    expires: exp + clockSkewSeconds,
  }
}

/** @throws HtsgetError InvalidAuthentication */
function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined || authorization.length > maxTokenLength) throw refused()
  const [, token] = /^bearer +([\w.~+/-]+=*) *$/i.exec(authorization) ?? []
  if (token === undefined) throw refused()
  return token
}

/** One answer to all that is wrong with a token: which it was is nobody's business. */
const refused = (cause?: unknown) =>
  new HtsgetError('InvalidAuthentication', 'a valid access token is needed, as a bearer token', { cause })

const own = (payload: JWTPayload, claim: string): unknown =>
  Object.hasOwn(payload, claim) ? payload[claim] : undefined

function textOf(payload: JWTPayload, claim: string): string {
  const value = own(payload, claim)
  return typeof value === 'string' ? value : ''
}

function groupsOf(payload: JWTPayload, claim: string): string[] {
  return [own(payload, claim)].flat().filter(group => typeof group === 'string')
}
