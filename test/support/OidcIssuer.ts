import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import Provider from 'oidc-provider'

/** What a key signs with. */
export type Algorithm = 'RS256' | 'ES256' | 'PS256' | 'EdDSA'

const audience = 'htsvault'

/** Clients sign in for themselves (client credentials): their id is the subject, their groups stand here. */
const groups: Readonly<Record<string, readonly string[]>> = { alice: ['readers', 'staff'], bob: [] }

/** An OpenID provider that others wrote, on a free port of this machine. Its `requests` are those that came. */
export class OidcIssuer {
  readonly audience = audience
  readonly requests: string[] = []
  url = ''
  /** Answers in the provider's place where it is set. */
  instead: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  #server: Server | undefined
  #answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
  #key: { readonly private: CryptoKey; readonly jwk: JWK } | undefined

  async start(algorithm: Algorithm = 'RS256'): Promise<this> {
    const server = createServer((request, response) => {
      this.requests.push(request.url ?? '')
      ;(this.instead ?? this.#answer)(request, response)
    })
    this.#server = server
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await this.rotate(algorithm)
    return this
  }

  /** New keys in the place of the old, and a provider with these. */
  async rotate(algorithm: Algorithm = 'RS256', kid = `key-${Math.random()}`): Promise<void> {
    const pair = await generateKeyPair(algorithm, { extractable: true })
    const jwk = { ...(await exportJWK(pair.privateKey)), kid, alg: algorithm, use: 'sig' }
    this.#key = { private: pair.privateKey, jwk }
    const resource = `urn:${audience}`
    const provider = quietly(
      () =>
        new Provider(this.url, {
          jwks: { keys: [jwk] },
          ttl: { ClientCredentials: 600 },
          enabledJWA: { idTokenSigningAlgValues: [algorithm] },
          clientDefaults: { id_token_signed_response_alg: algorithm },
          clients: Object.keys(groups).map(client_id => ({
            client_id,
            client_secret: `secret of ${client_id}`,
            grant_types: ['client_credentials'],
            redirect_uris: [],
            response_types: [],
          })),
          extraTokenClaims: (_: unknown, token: { clientId: string }) => ({
            sub: token.clientId,
            groups: groups[token.clientId],
          }),
          features: {
            devInteractions: { enabled: false },
            clientCredentials: { enabled: true },
            resourceIndicators: {
              enabled: true,
              defaultResource: () => resource,
              getResourceServerInfo: (_: unknown, indicator: string) => ({
                scope: 'read',
                audience: indicator.replace(/^urn:/, ''),
                accessTokenTTL: 600,
                accessTokenFormat: 'jwt',
                jwt: { sign: { alg: algorithm } },
              }),
            },
          },
        }),
    )
    this.#answer = provider.callback()
  }

  /** An access token as a client gets it. */
  async token(client = 'alice', resource = `urn:${audience}`): Promise<string> {
    const reply = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${Buffer.from(`${client}:${encodeURIComponent(`secret of ${client}`)}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'read' }),
    })
    const said = (await reply.json()) as { access_token?: string }
    if (said.access_token === undefined) throw new Error(`no token: ${JSON.stringify(said)}`)
    return said.access_token
  }

  /** A token that the provider would not make, with its own key: these claims in the place of the usual. */
  async forge(
    claims: Readonly<Record<string, unknown>>,
    header: { alg?: string; kid?: string } = {},
  ): Promise<string> {
    const { private: key, jwk } = this.#key!
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({ iss: this.url, aud: audience, sub: 'alice', iat: now, exp: now + 600, ...claims })
      .setProtectedHeader({ alg: jwk.alg!, kid: jwk.kid!, ...header })
      .sign(key)
  }

  get publicJwk(): JWK {
    const { kty, n, e, kid } = this.#key!.jwk
    return { kty: kty!, n: n!, e: e!, kid: kid! }
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    this.#server?.close()
  }
}

/** Without the warning that what it stores is lost at its end. */
function quietly<T>(make: () => T): T {
  const { warn } = console
  console.warn = () => undefined
  try {
    return make()
  } finally {
    console.warn = warn
  }
}
