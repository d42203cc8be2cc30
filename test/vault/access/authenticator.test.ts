import { createHmac, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { authenticator, type AuthenticatorOptions } from '#shared/vault/access/authenticator.ts'
import { readIssuers } from '#shared/vault/access/IssuerSettings.ts'
import { OidcIssuer, type Algorithm } from '#test/support/OidcIssuer.ts'

const issuer = new OidcIssuer()
beforeAll(async () => {
  await issuer.start()
})
afterAll(() => issuer.stop())

const checker = (settings: object = {}, options: AuthenticatorOptions = {}, at = issuer) =>
  authenticator(readIssuers([{ issuer: at.url, audience: at.audience, ...settings }]), options)
const bearer = (token: string) => `Bearer ${token}`

const refused = {
  type: 'InvalidAuthentication',
  message: 'a valid access token is needed, as a bearer token',
}
const unavailable = { code: 'ISSUER_UNAVAILABLE' }
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a token of the provider', () => {
  test('says who asks', async () => {
    const identity = await checker()(bearer(await issuer.token()))
    expect(identity).toMatchObject({ issuer: issuer.url, subject: 'alice', groups: ['readers', 'staff'] })
    expect(identity.expires).toBe((identity.claims['exp'] as number) + 30)
  })

  test.each<Algorithm>(['RS256', 'ES256', 'PS256', 'EdDSA'])(
    'is good with %s where the settings say so',
    async algorithm => {
      const other = await new OidcIssuer().start(algorithm)
      try {
        const token = bearer(await other.token())
        const check = checker({ algorithms: [algorithm] }, {}, other)
        expect(await check(token)).toMatchObject({ subject: 'alice' })
        const others = ['RS256', 'ES256', 'PS256', 'EdDSA'].filter(a => a !== algorithm)
        await expect(checker({ algorithms: others }, {}, other)(token)).rejects.toMatchObject(refused)
      } finally {
        await other.stop()
      }
    },
  )

  test('is good as long as the clocks are apart by no more than the settings say', async () => {
    const token = await issuer.token()
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number }
    const at = (seconds: number) =>
      checker({ clockSkewSeconds: 20 }, { now: () => (exp + seconds) * 1000 })(bearer(token))
    expect(await at(19)).toMatchObject({ subject: 'alice', expires: exp + 20 })
    await expect(at(20)).rejects.toMatchObject(refused)
    await expect(at(86_400)).rejects.toMatchObject(refused)
  })

  test('for another service is refused', async () => {
    await expect(checker()(bearer(await issuer.token('alice', 'urn:another')))).rejects.toMatchObject(refused)
  })
})

describe('refused, all with one answer', () => {
  test.each<[string, () => string | undefined | Promise<string>]>([
    ['nothing', () => undefined],
    ['an empty header', () => ''],
    ['a password', () => 'Basic YWxpY2U6eA=='],
    ['no token', () => 'Bearer '],
    ['two tokens', async () => `${bearer(await issuer.token())} ${await issuer.token()}`],
    ['a token of 1 MB', () => bearer('a'.repeat(1 << 20))],
    ['what is no JWT', () => bearer('abc.def.ghi')],
    [
      'an issuer that nobody named',
      async () => bearer(await issuer.forge({ iss: 'https://evil.example.org' })),
    ],
    ['an issuer with a slash more', async () => bearer(await issuer.forge({ iss: `${issuer.url}/` }))],
    ['an expired token', async () => bearer(await issuer.forge({ exp: Math.floor(Date.now() / 1000) - 31 }))],
    [
      'a token for later',
      async () => bearer(await issuer.forge({ nbf: Math.floor(Date.now() / 1000) + 60 })),
    ],
    ['a token without an end', async () => bearer(await issuer.forge({ exp: undefined }))],
    ['a token without a subject', async () => bearer(await issuer.forge({ sub: undefined }))],
    ['an empty subject', async () => bearer(await issuer.forge({ sub: '' }))],
    ['no audience', async () => bearer(await issuer.forge({ aud: undefined }))],
    [
      'a client id in the place of an audience',
      async () => bearer(await issuer.forge({ aud: undefined, client_id: 'htsvault' })),
    ],
    ['a key that the issuer has not', async () => bearer(await issuer.forge({}, { kid: 'another' }))],
    ['alg none', async () => bearer(`${encode({ alg: 'none' })}.${(await issuer.token()).split('.')[1]!}.`)],
    [
      'HS256 with the public key for a secret',
      async () => {
        const pem = createPublicKey({ key: issuer.publicJwk, format: 'jwk' })
          .export({ type: 'spki', format: 'pem' })
          .toString()
        const text = `${encode({ alg: 'HS256', kid: issuer.publicJwk.kid })}.${(await issuer.token()).split('.')[1]!}`
        return bearer(`${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`)
      },
    ],
    [
      'another payload under a good signature',
      async () => {
        const [header, payload, signature] = (await issuer.token()).split('.')
        const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object
        return bearer(`${header!}.${encode({ ...claims, sub: 'bob' })}.${signature!}`)
      },
    ],
  ])('%s', async (_, header) => {
    const error: unknown = await checker()(await header()).then(
      () => undefined,
      (e: unknown) => e,
    )
    expect(error).toMatchObject(refused)
  })

  test('whatever text comes: nobody is let in, nothing breaks', async () => {
    const check = checker()
    const part = fc.oneof(
      fc.base64String(),
      fc.json().map(t => Buffer.from(t).toString('base64url')),
    )
    const claims = fc.record({
      iss: fc.constantFrom(issuer.url, 'x'),
      exp: fc.constant(2e9),
      sub: fc.string(),
    })
    const token = fc.tuple(part, fc.oneof(part, claims.map(encode)), part).map(p => p.join('.'))
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), token.map(bearer)), async header => {
        await expect(check(header)).rejects.toMatchObject(refused)
      }),
      { numRuns: 200 },
    )
  })

  test('an issuer that is not known is asked nothing', async () => {
    const stranger = await new OidcIssuer().start()
    const token = bearer(await stranger.token())
    stranger.requests.length = 0
    await expect(checker()(token)).rejects.toMatchObject(refused)
    expect(stranger.requests).toEqual([])
    await stranger.stop()
  })
})

describe('client_id in the place of aud', () => {
  const check = (token: string) => checker({ audience: 'cli', audienceClaim: 'client_id' })(bearer(token))
  test('is what access tokens of Cognito have; its identity tokens are refused', async () => {
    expect(await check(await issuer.forge({ aud: undefined, client_id: 'cli' }))).toMatchObject({
      subject: 'alice',
    })
    await expect(check(await issuer.forge({ aud: 'cli' }))).rejects.toMatchObject(refused)
    await expect(check(await issuer.forge({ client_id: 'other' }))).rejects.toMatchObject(refused)
  })
})

describe('the keys of the issuer', () => {
  test('are fetched once, for many requests at once', async () => {
    const token = bearer(await issuer.token())
    const check = checker()
    issuer.requests.length = 0
    await Promise.all(Array.from({ length: 20 }, () => check(token)))
    await check(token)
    expect(issuer.requests).toEqual(['/.well-known/openid-configuration', '/jwks'])
  })

  test('that nobody knows are looked for once in a while, not for each token', async () => {
    const check = checker()
    await check(bearer(await issuer.token()))
    issuer.requests.length = 0
    for (const kid of ['a', 'b', 'c'])
      await expect(check(bearer(await issuer.forge({}, { kid })))).rejects.toMatchObject(refused)
    expect(issuer.requests).toEqual([])
  })

  test('that are new are found; those that are gone are worth nothing any more', async () => {
    const rotating = await new OidcIssuer().start()
    try {
      const check = checker({}, { cooldown: 0 }, rotating)
      const old = bearer(await rotating.token())
      expect(await check(old)).toMatchObject({ subject: 'alice' })
      await rotating.rotate()
      expect(await check(bearer(await rotating.token('bob')))).toMatchObject({ subject: 'bob', groups: [] })
      await expect(check(old)).rejects.toMatchObject(refused)
    } finally {
      await rotating.stop()
    }
  })
})

describe('an issuer that does not do its part is an outage, not a refusal', () => {
  const failing = new OidcIssuer()
  let token = ''
  beforeAll(async () => {
    await failing.start()
    token = bearer(await failing.token())
  })
  afterAll(() => failing.stop())

  const discovery = (document: object) =>
    JSON.stringify({ issuer: failing.url, jwks_uri: `${failing.url}/jwks`, ...document })
  /** Answers these bodies, by path. */
  const answering =
    (documents: Record<string, string>, status = 200): NonNullable<OidcIssuer['instead']> =>
    (request, response) => {
      response.statusCode = status
      response.end(documents[request.url!.includes('jwks') ? 'jwks' : 'discovery'])
    }

  test.each<[string, () => NonNullable<OidcIssuer['instead']>]>([
    ['500', () => answering({}, 500)],
    ['404', () => answering({}, 404)],
    ['no JSON', () => answering({ discovery: '<html>' })],
    [
      'the document of another issuer',
      () => answering({ discovery: discovery({ issuer: 'https://x.example' }) }),
    ],
    ['keys by plain HTTP', () => answering({ discovery: discovery({ jwks_uri: 'http://x.example/jwks' }) })],
    ['keys that are none', () => answering({ discovery: discovery({}), jwks: '{"keys":1}' })],
    ['null for keys', () => answering({ discovery: discovery({}), jwks: 'null' })],
    [
      'too many keys',
      () => answering({ discovery: discovery({}), jwks: `{"keys":[${'{},'.repeat(1 << 17)}{}]}` }),
    ],
    ['nothing, ever', () => () => undefined],
    ['half a document', () => (_, response) => void response.write('{"issuer":')],
    ['a redirect', () => (_, response) => response.writeHead(302, { Location: '/elsewhere' }).end()],
    ['a closed door', () => request => request.socket.destroy()],
  ])('%s', async (_, instead) => {
    failing.instead = instead()
    await expect(checker({}, { timeout: 300 }, failing)(token)).rejects.toMatchObject(unavailable)
  })

  test('is left alone for a moment, then asked again', async () => {
    failing.instead = answering({}, 503)
    const check = checker({}, { pause: 200 }, failing)
    failing.requests.length = 0
    for (let i = 0; i < 5; i++) await expect(check(token)).rejects.toMatchObject(unavailable)
    expect(failing.requests).toHaveLength(1)
    failing.instead = undefined
    await new Promise(resolve => setTimeout(resolve, 250))
    expect(await check(token)).toMatchObject({ subject: 'alice' })
  })
})
