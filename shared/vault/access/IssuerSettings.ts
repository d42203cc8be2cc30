import * as z from 'zod'
import { HtsvaultError } from '#shared/errors.ts'

/** Signatures by a public key; `none` and the HS family, whose key verifiers would share, are not among them. */
export const signatureAlgorithms = ['RS256', 'ES256', 'PS256', 'EdDSA'] as const

const name = z.string().min(1).max(200)

const issuer = z.strictObject({
  /** The `iss` of its tokens, letter for letter; its discovery document lies below it. */
  issuer: z
    .string()
    .max(500)
    .refine(
      isSafeUrl,
      'write https://…, as it stands in the "iss" of a token (http:// for this machine alone)',
    ),
  /** What a token is to name as its audience: one of these, which stand for this vault and nothing else. */
  audience: z.union([name.transform(one => [one]), z.array(name).min(1).max(20)]).readonly(),
  /** The claim that holds the audience; access tokens of Cognito have `client_id` in its place. */
  audienceClaim: z.enum(['aud', 'client_id']).default('aud'),
  algorithms: z.array(z.enum(signatureAlgorithms)).min(1).default(['RS256', 'ES256']).readonly(),
  /** How far the clocks may be apart. */
  clockSkewSeconds: z.int().min(0).max(120).default(30),
  /** The claim with the groups of the subject: a list of texts, or one text. */
  groupsClaim: name.default('groups'),
})

const schema = z
  .array(issuer)
  .min(1)
  .max(20)
  .refine(all => new Set(all.map(i => i.issuer)).size === all.length, 'one issuer stands there twice')

/** Whose tokens are believed, and what they must be like. */
export type IssuerSettings = z.output<typeof issuer>

/**
 * Reads the settings of the issuers: a list of objects, or its JSON.
 * @throws HtsvaultError SETTINGS_INVALID
 */
export function readIssuers(input: unknown): IssuerSettings[] {
  const parsed = schema.safeParse(typeof input === 'string' ? parseJson(input) : input)
  if (parsed.success) return parsed.data
  throw refusal(z.prettifyError(parsed.error))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw refusal('they are not JSON', cause)
  }
}

const refusal = (what: string, cause?: unknown) =>
  new HtsvaultError('SETTINGS_INVALID', `the settings of the OIDC issuers cannot be used:\n${what}`, {
    hint: 'docs/access.md lists them.',
    cause,
  })

/** https, or http on this machine; no query, fragment or password. */
export function isSafeUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || /[?#\s]/.test(text) || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || isLoopback(url)
}

const isLoopback = ({ protocol, hostname }: URL) =>
  protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
