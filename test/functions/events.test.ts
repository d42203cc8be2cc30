import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { APIGatewayProxyEvent } from 'aws-lambda'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { functionsOn, type Functions } from '#test/support/runFunctions.ts'

const root = join(import.meta.dirname, '..', '..')
const readEvent = async (name: string) =>
  JSON.parse(await readFile(join(root, 'events', `${name}.json`), 'utf8')) as APIGatewayProxyEvent
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-functions-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const pair = generateKeyPair(nodeBackend)
const ports: VaultPorts = {
  inbox: folderStore(join(scratch, 'inbox')),
  vault: folderStore(join(scratch, 'vault')),
  keys: { keyPair: async () => pair },
}
let functions: Functions
let token = ''

interface Ticket {
  htsget: { format: string; urls: { url: string; class?: string }[] }
}
const ticketOf = async (name: string): Promise<Ticket> => {
  const reply = await functions.ticket(await readEvent(name))
  expect(reply).toMatchObject({
    statusCode: 200,
    headers: { 'Content-Type': 'application/vnd.ga4gh.htsget.v1.3.0+json; charset=utf-8' },
  })
  return JSON.parse(reply.body) as Ticket
}

beforeAll(async () => {
  functions = await functionsOn(ports)
  await ports.inbox.put('demo/x.bam', await readFile(join(root, 'demo', 'child.bam')))
  await ports.inbox.put('demo/x.vcf.gz', await readFile(join(root, 'demo', 'trio.vcf.gz')))
  expect((await functions.ingest({ ...(await readEvent('s3-object-created.valid')) })).state).toBe('served')
  const event = (await readEvent('s3-object-created.valid')) as unknown as {
    detail: { object: { key: string } }
  }
  event.detail.object.key = 'demo/x.vcf.gz'
  expect((await functions.ingest(event)).state).toBe('served')
})

describe('ingest', () => {
  test.each(['s3-odd-key', 's3-multipart', 's3-unversioned'])('%s is understood', async name => {
    const event = (await readEvent(`${name}.valid`)) as unknown as { detail: { object: { key: string } } }
    await ports.inbox.put(event.detail.object.key, Buffer.from('no genomic file'))
    expect(await functions.ingest(event)).toMatchObject({
      state: 'refused',
      report: { code: 'UNKNOWN_FORMAT' },
    })
  })

  test.each(['s3-object-created', 's3-odd-key', 's3-multipart', 's3-unversioned'])(
    '%s, invalid, is an error: it ends in the queue',
    async name => {
      await expect(functions.ingest(await readEvent(`${name}.invalid`))).rejects.toMatchObject({
        code: 'EVENT_INVALID',
      })
    },
  )

  test('a refusal that it wrote itself is left alone', async () => {
    const event = (await readEvent('s3-object-created.valid')) as unknown as {
      detail: { object: { key: string } }
    }
    event.detail.object.key = 'demo/bad.bam.refused.json'
    expect(await functions.ingest(event)).toEqual({ state: 'gone' })
  })
})

describe('ticket', () => {
  test('GET of a region', async () => {
    const { htsget } = await ticketOf('reads-get.valid')
    expect(htsget.format).toBe('BAM')
    expect(htsget.urls.map(url => url.class)).toEqual(['header', 'body', 'body'])
    expect(htsget.urls[0]!.url).toMatch(/^data:;base64,/)
    const body = htsget.urls[1]!.url
    expect(body).toMatch(
      /^https:\/\/abcdef1234\.execute-api\.eu-central-1\.amazonaws\.com\/prod\/data\/[\w.-]+$/,
    )
    token = body.slice(body.lastIndexOf('/') + 1)
  })

  test('POST of two, and of a body in base64', async () => {
    expect((await ticketOf('reads-post.valid')).htsget.format).toBe('BAM')
    expect((await ticketOf('variants-post-base64.valid')).htsget.format).toBe('VCF')
  })

  test('ciphertext for the key in the header, never plain bytes in its place', async () => {
    const event = await readEvent('reads-get.valid')
    event.multiValueQueryStringParameters = {
      ...event.multiValueQueryStringParameters,
      encryptionScheme: ['Crypt4GH'],
    }
    expect(await functions.ticket(event)).toMatchObject({ statusCode: 400 })
    const publicKey = Buffer.from(writePublicKey(pair.publicKey)).toString('base64')
    event.headers['HTSGET-CONTEXT-PUBLIC-KEY'] = publicKey
    const { urls } = (JSON.parse((await functions.ticket(event)).body) as Ticket).htsget
    expect(Buffer.from(urls[0]!.url.slice('data:;base64,'.length), 'base64').toString('latin1')).toMatch(/^crypt4gh/) // prettier-ignore
    expect(urls.every(url => url.class === undefined)).toBe(true)
    event.headers['HTSGET-CONTEXT-PUBLIC-KEY'] = 'no key'
    const refused = await functions.ticket(event)
    expect(JSON.parse(refused.body)).toMatchObject({ htsget: { error: 'InvalidInput' } })
  })

  test('the header alone', async () => {
    const { urls } = (await ticketOf('variants-header.valid')).htsget
    expect(urls.map(url => url.class)).toEqual(['header', 'body'])
    expect(urls.every(url => url.url.startsWith('data:;base64,'))).toBe(true)
  })

  test('service-info', async () => {
    const reply = await functions.ticket(await readEvent('reads-service-info.valid'))
    expect(JSON.parse(reply.body)).toMatchObject({
      type: { artifact: 'htsget' },
      htsget: { datatype: 'reads', formats: ['BAM', 'CRAM'] },
    })
  })

  test('a preflight is answered for whoever asks', async () => {
    const event = await readEvent('reads-preflight.valid')
    const { origin } = Object.fromEntries(
      Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]),
    )
    expect(await functions.ticket(event)).toMatchObject({
      statusCode: 204,
      headers: { 'Access-Control-Allow-Origin': origin, 'Access-Control-Max-Age': '2592000' },
    })
    const unasked = await functions.ticket(await readEvent('reads-preflight.invalid'))
    expect(unasked.headers).not.toHaveProperty('Access-Control-Allow-Origin')
  })

  test.each([
    ['reads-get', 400, 'InvalidRange'],
    ['reads-post', 400, 'InvalidInput'],
    ['reads-service-info', 404, 'NotFound'],
    ['variants-header', 400, 'InvalidInput'],
    ['variants-post-base64', 400, 'InvalidInput'],
  ])('%s, invalid: %i %s', async (name, statusCode, error) => {
    const reply = await functions.ticket(await readEvent(`${name}.invalid`))
    expect(reply).toMatchObject({ statusCode, headers: { 'Content-Type': 'application/json' } })
    expect(JSON.parse(reply.body)).toMatchObject({ htsget: { error } })
  })

  test('an id that there is not, in every format of the datatype', async () => {
    const event = await readEvent('reads-get.valid')
    event.pathParameters = { id: 'demo/nothing' }
    expect(await functions.ticket(event)).toMatchObject({ statusCode: 404 })
    event.pathParameters = { id: '%E0%A4%A' }
    expect(await functions.ticket(event)).toMatchObject({ statusCode: 400 })
  })
})

describe('data', () => {
  const withToken = async (name: string, value: string) =>
    JSON.parse(JSON.stringify(await readEvent(name)).replaceAll('TOKEN', value)) as APIGatewayProxyEvent

  test('the bytes of the token, whole and by range', async () => {
    const whole = await functions.data(await withToken('data-get.valid', token))
    expect(whole).toMatchObject({ statusCode: 200, headers: { 'Content-Length': String(whole.body.length) } })
    expect(whole.body.subarray(0, 4).toString('hex')).toBe('1f8b0804')
    const part = await functions.data(await withToken('data-range.valid', token))
    expect(part).toMatchObject({
      statusCode: 206,
      headers: { 'Content-Range': `bytes 0-1023/${whole.body.length}` },
    })
    expect(Buffer.compare(part.body, whole.body.subarray(0, 1024))).toBe(0)
    const odd = await functions.data(await withToken('data-range.invalid', token))
    expect(odd.statusCode).toBe(200)
  })

  test('a token that nobody signed is worth nothing', async () => {
    const reply = await functions.data(await readEvent('data-get.invalid'))
    expect(reply.statusCode).toBe(403)
    expect(JSON.parse(reply.body.toString())).toMatchObject({ htsget: { error: 'PermissionDenied' } })
  })
})
