import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { APIGatewayProxyEvent } from 'aws-lambda'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { lambdaAuthenticate } from '#functions/lambdaAuthenticate.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { authenticator } from '#shared/vault/access/authenticator.ts'
import { readIssuers } from '#shared/vault/access/IssuerSettings.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { temporaryFolder } from '#test/support/interop.ts'
import { OidcIssuer } from '#test/support/OidcIssuer.ts'
import { functionsOn, type Functions } from '#test/support/runFunctions.ts'

const root = join(import.meta.dirname, '..', '..')
const scratch = temporaryFolder()
const pair = generateKeyPair(nodeBackend)
const asked: string[] = []
const vault = folderStore(join(scratch, 'vault'))
const ports: VaultPorts = {
  inbox: folderStore(join(scratch, 'inbox')),
  vault: {
    ...vault,
    get: (key, maxBytes) => {
      asked.push(key)
      return vault.get(key, maxBytes)
    },
  },
  keys: { keyPair: async () => pair },
}
const issuer = new OidcIssuer()
let functions: Functions
let alice = ''
const settings = (dataset: string, text: string) => vault.put(`${dataset}/dataset.json`, Buffer.from(text))
const grants = (dataset: string, ...access: object[]) => settings(dataset, JSON.stringify({ access }))

beforeAll(async () => {
  await issuer.start()
  functions = await functionsOn(
    ports,
    authenticator(readIssuers([{ issuer: issuer.url, audience: issuer.audience }])),
  )
  alice = `Bearer ${await issuer.token()}`
  for (const dataset of ['study', 'closed', 'broken']) {
    await ports.inbox.put(`${dataset}/x.bam`, await readFile(join(root, 'demo', 'child.bam')))
    const event = JSON.parse(
      await readFile(join(root, 'events', 's3-object-created.valid.json'), 'utf8'),
    ) as { detail: { object: { key: string } } }
    event.detail.object.key = `${dataset}/x.bam`
    expect((await functions.ingest(event)).state).toBe('served')
  }
})
afterAll(() => issuer.stop())
beforeEach(async () => {
  await grants('study', { issuer: issuer.url, subject: 'alice' })
  asked.length = 0
})

async function ask(id: string, authorization?: string, query: Record<string, string[]> = {}) {
  const event = JSON.parse(
    await readFile(join(root, 'events', 'reads-get.valid.json'), 'utf8'),
  ) as APIGatewayProxyEvent
  event.headers = { ...(authorization !== undefined && { Authorization: authorization }) }
  event.multiValueHeaders = {}
  event.multiValueQueryStringParameters = query
  event.pathParameters = { id }
  const { statusCode, headers, body } = await functions.ticket(event)
  return { statusCode, headers, body: JSON.parse(body) as Record<string, unknown> }
}

/** When the data URLs of a ticket end. */
const endsOf = (body: unknown): number[] =>
  [...JSON.stringify(body).matchAll(/\/data\/([\w.-]+)/g)].map(m => decodeJwt(m[1]!).exp!)

describe('without a token', () => {
  test.each(['study/x', 'closed/x', 'nothing/x', 'x'])('%s is a 401 that says how', async id => {
    const reply = await ask(id)
    expect(reply).toMatchObject({
      statusCode: 401,
      headers: { 'WWW-Authenticate': 'Bearer' },
      body: { htsget: { error: 'InvalidAuthentication' } },
    })
    expect(asked).toEqual([])
  })

  test('a bad query is a 401 too', async () => {
    expect((await ask('study/x', undefined, { format: ['SAM'] })).statusCode).toBe(401)
  })

  test('service-info is for everyone', async () => {
    expect((await ask('service-info')).statusCode).toBe(200)
  })
})

describe('with a token', () => {
  test('who is named reads, and what is handed out ends with the token or before', async () => {
    const { statusCode, body } = await ask('study/x', alice)
    expect(statusCode).toBe(200)
    const ends = endsOf(body)
    expect(ends.length).toBeGreaterThan(0)
    const { exp } = decodeJwt(alice.slice('Bearer '.length))
    for (const end of ends) expect(end).toBeLessThanOrEqual(exp! + 30)
  })

  test('what is handed out ends with the grant', async () => {
    const end = Math.floor(Date.now() / 1000) + 90
    await grants('study', {
      issuer: issuer.url,
      group: 'readers',
      expires: new Date(end * 1000).toISOString(),
    })
    const { body } = await ask('study/x', alice)
    const ends = endsOf(body)
    expect(ends.length).toBeGreaterThan(0)
    for (const each of ends) expect(each).toBeLessThanOrEqual(end)
  })

  test('a leave that is taken back is gone at once', async () => {
    expect((await ask('study/x', alice)).statusCode).toBe(200)
    await grants('study')
    expect((await ask('study/x', alice)).statusCode).toBe(403)
  })

  test('what there is not, in a dataset that is open to who asks, is not found', async () => {
    expect((await ask('study/y', alice)).statusCode).toBe(404)
  })

  test('who is not named learns nothing of what there is', async () => {
    await settings('broken', '{"access": "everyone"}')
    const odd = [
      '../study/x',
      'study',
      '',
      '/',
      'closed//x',
      'closed/../study/x',
      '.htsvault/x',
      'a'.repeat(2000),
    ]
    const ids = ['closed/x', 'closed/y', 'nothing/x', 'broken/x', ...odd]
    const replies = await Promise.all(ids.map(id => ask(encodeURIComponent(id), alice)))
    for (const reply of replies) expect(reply).toEqual(replies[0])
    expect(replies[0]).toMatchObject({ statusCode: 403, body: { htsget: { error: 'PermissionDenied' } } })
    // Nothing but settings was looked at.
    expect(asked.filter(key => !key.endsWith('/dataset.json'))).toEqual([])
    expect(await ask('closed/x', alice, { format: ['CRAM'] })).toEqual(replies[0])
  })

  test('an issuer that does not answer is a 503', async () => {
    const down = await new OidcIssuer().start()
    const token = await down.token()
    const other = await functionsOn(
      ports,
      authenticator(readIssuers([{ issuer: down.url, audience: 'htsvault' }])),
    )
    await down.stop()
    const event = JSON.parse(
      await readFile(join(root, 'events', 'reads-get.valid.json'), 'utf8'),
    ) as APIGatewayProxyEvent
    event.headers = { authorization: `bearer ${token}` }
    const reply = await other.ticket(event)
    expect(reply).toMatchObject({ statusCode: 503, headers: { 'Retry-After': '1' } })
    expect(reply.body).not.toContain('127.0.0.1')
  })
})

describe('what a function is told of who may ask', () => {
  const told = (variables: Record<string, string>) => {
    const before = { ...process.env }
    Object.assign(process.env, variables)
    try {
      return lambdaAuthenticate()
    } finally {
      process.env = before
    }
  }
  const issuers = JSON.stringify([{ issuer: 'https://login.example.org', audience: 'vault' }])

  test('nothing: it does not start', () => expect(() => told({})).toThrow(/no ACCESS/))
  test('a word that nobody knows: neither', () =>
    expect(() => told({ ACCESS: 'all' })).toThrow(/not oidc, iam/))
  test('oidc without issuers: neither', () => expect(() => told({ ACCESS: 'oidc' })).toThrow(/OIDC_ISSUERS/))
  test('oidc with no JSON, an issuer by plain HTTP, a shared secret: neither', () => {
    const bad = [
      ['[', /JSON/],
      ['[]', /1/],
      [issuers.replace('https', 'http'), /https:/],
      [issuers.replace('}', ',"algorithms":["HS256"]}'), /HS256|RS256/],
      [issuers.replace('}', ',"clockSkewSeconds":3600}'), /120/],
      [issuers.replace('"audience":"vault"', '"audience":""'), /audience/],
      [issuers.replace(',"audience":"vault"', ''), /audience/],
    ] as const
    for (const [text, why] of bad) expect(() => told({ ACCESS: 'oidc', OIDC_ISSUERS: text })).toThrow(why)
  })
  test('oidc, iam and public', () => {
    expect(told({ ACCESS: 'oidc', OIDC_ISSUERS: issuers })).toBeInstanceOf(Function)
    expect(told({ ACCESS: 'iam' })).toBeUndefined()
    expect(told({ ACCESS: 'public' })).toBeUndefined()
  })
})
