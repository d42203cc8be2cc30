import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose'
import * as z from 'zod'
import { issuerUnavailable, type IssuerDocuments } from './issuerDocuments.ts'
import { isSafeUrl } from './IssuerSettings.ts'

const discovery = z.object({ issuer: z.string(), jwks_uri: z.string().refine(isSafeUrl) })

/** How long the place of the keys is remembered, and the keys, in milliseconds. */
const placeAge = 3_600_000
const keysAge = 600_000

/**
 * The keys of an issuer, found by discovery (OpenID Connect Discovery 1.0 §4). They are fetched again when they are ten
 * minutes old, or for a key that is not known, then once in `cooldown` milliseconds at most.
 *
 * The function that it gives throws HtsvaultError ISSUER_UNAVAILABLE.
 */
export function issuerKeys(issuer: string, documents: IssuerDocuments, cooldown: number): JWTVerifyGetKey {
  let known: { readonly keys: Promise<JWTVerifyGetKey>; readonly since: number } | undefined

  const find = async (): Promise<JWTVerifyGetKey> => {
    const text = await documents(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
    const found = discovery.safeParse(parsed(text))
    // §4.3: the document is to say who it is of, in the very letters of the tokens.
    if (!found.success || found.data.issuer !== issuer)
      throw issuerUnavailable('the discovery document of the issuer is not one, or of another issuer')
    return createRemoteJWKSet(new URL(found.data.jwks_uri), {
      cacheMaxAge: keysAge,
      cooldownDuration: cooldown,
      timeoutDuration: 60_000, // `documents` has the shorter one.
      [customFetch]: async url => {
        const keys = await documents(url)
        if (!Array.isArray((parsed(keys) as { keys?: unknown } | null)?.keys))
          throw issuerUnavailable('the keys of the issuer are not a JSON Web Key Set')
        return new Response(keys)
      },
    })
  }

  return async (header, token) => {
    if (!known || performance.now() - known.since > placeAge) {
      const entry = { keys: find(), since: performance.now() }
      known = entry
      entry.keys.catch(() => {
        if (known === entry) known = undefined
      })
    }
    return (await known.keys)(header, token)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw issuerUnavailable('a document of the issuer is not JSON', cause)
  }
}
