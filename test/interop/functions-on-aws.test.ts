import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { APIGatewayProxyEvent, CdkCustomResourceEvent, Context } from 'aws-lambda'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { createKeyPairHandler } from '#functions/keypair/handler.ts'
import { createKeyPairSecret, type KeyPairSecret } from '#shared/aws/keyPairSecret.ts'
import { s3Store } from '#shared/aws/s3Store.ts'
import { secretKeyStore } from '#shared/aws/secretKeyStore.ts'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { drainAsync, newKeys } from '#test/crypt4gh/support.ts'
import { output, requireTools, run } from '#test/support/interop.ts'
import type { TicketJson } from '#test/support/joinTicket.ts'
import { startMoto, type MotoServer } from '#test/support/motoServer.ts'
import { verifySigV4 } from '#test/support/verifySigV4.ts'
import { functionsOn, type Functions } from '#test/support/runFunctions.ts'

jest.setTimeout(180_000)
const demo = (name: string) => join(import.meta.dirname, '..', '..', 'demo', name)
const event = async (name: string) =>
  JSON.parse(
    await readFile(join(import.meta.dirname, '..', '..', 'events', `${name}.json`), 'utf8'),
  ) as APIGatewayProxyEvent

/** From the key pair to the query: the functions, with AWS's events, on AWS services that others wrote. */
requireTools('moto_server', 'samtools')('the functions on S3, KMS and Secrets Manager (moto_server)', () => {
  let moto: MotoServer
  let s3: S3Client
  let secrets: SecretsManagerClient
  let kms: KMSClient
  let place: KeyPairSecret
  let functions: Functions

  const create = (type: string) =>
    createKeyPairHandler(() => createKeyPairSecret(place))(
      { RequestType: type, PhysicalResourceId: 'htsvault-key-pair' } as CdkCustomResourceEvent,
      {} as Context,
    )
  const keysOf = async (Bucket: string) =>
    ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key)

  beforeAll(async () => {
    moto = await startMoto()
    s3 = new S3Client({ ...moto.settings, forcePathStyle: true })
    secrets = new SecretsManagerClient(moto.settings)
    kms = new KMSClient(moto.settings)
    for (const Bucket of ['inbox', 'vault'])
      await s3.send(
        new CreateBucketCommand({
          Bucket,
          CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
        }),
      )
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const { ARN } = await secrets.send(new CreateSecretCommand({ Name: 'vault-key' }))
    place = { secrets, kms, secretId: ARN!, keyId: KeyMetadata!.Arn!, stack: 'htsvault-test' }
  })
  afterAll(async () => {
    for (const client of [s3, secrets, kms]) client.destroy()
    await moto.stop()
  })

  test('the key pair is made once; its public half alone is told', async () => {
    const [made, again] = [await create('Create'), await create('Update')]
    expect(again).toEqual(made)
    expect(Object.keys(made.Data ?? {})).toEqual(['PublicKey'])
    expect(readPublicKey((made.Data as { PublicKey: string }).PublicKey)).toHaveLength(32)
    expect(await create('Delete')).toEqual({ PhysicalResourceId: 'htsvault-key-pair' })
  })

  test('an upload is ingested, and samtools reads a region of it', async () => {
    const ports: VaultPorts = {
      inbox: s3Store(s3, 'inbox'),
      vault: s3Store(s3, 'vault'),
      keys: secretKeyStore(place),
    }
    functions = await functionsOn(ports)
    const bytes = await readFile(demo('child.bam'))
    await s3.send(new PutObjectCommand({ Bucket: 'inbox', Key: 'demo/x.bam', Body: bytes }))
    expect((await functions.ingest(await event('s3-object-created.valid'))).state).toBe('served')
    expect(await keysOf('inbox')).toEqual([])
    expect(await keysOf('vault')).toEqual([
      'demo/x.bam.bai.c4gh',
      'demo/x.bam.blockmap.c4gh',
      'demo/x.bam.c4gh',
      'demo/x.bam.manifest.json',
    ])

    const reply = await functions.ticket(await event('reads-get.valid'))
    expect(reply.statusCode).toBe(200)
    const { urls } = (JSON.parse(reply.body) as { htsget: { urls: { url: string }[] } }).htsget
    const parts: Buffer[] = []
    for (const { url } of urls) {
      const inline = /^data:;base64,(.*)$/.exec(url)?.[1]
      if (inline !== undefined) parts.push(Buffer.from(inline, 'base64'))
      else {
        const asked = await event('data-get.valid')
        asked.pathParameters = { proxy: url.slice(url.lastIndexOf('/') + 1) }
        const data = await functions.data(asked)
        expect(data.statusCode).toBe(200)
        parts.push(data.body)
      }
    }
    const filter = 'rname=="chr1" && pos<=20000 && endpos>=10001'
    const count = async (input: Buffer) =>
      Number((await run('samtools', ['view', '-c', '-e', filter, '-'], { input })).stdout.toString())
    const found = await count(Buffer.concat(parts))
    expect(found).toBeGreaterThan(0)
    expect(found).toBe(await count(bytes))
  })

  test('ciphertext comes straight from S3, by presigned ranges, for the key of whoever asks', async () => {
    const client = newKeys()
    const asked = await event('reads-get.valid')
    const parameters = { ...asked.multiValueQueryStringParameters, encryptionScheme: ['crypt4gh'] }
    asked.multiValueQueryStringParameters = parameters
    const publicKey = Buffer.from(writePublicKey(client.publicKey)).toString('base64')
    asked.headers['htsget-context-public-key'] = publicKey
    const reply = await functions.ticket(asked)
    expect(reply.statusCode).toBe(200)
    const [header, ...blocks] = (JSON.parse(reply.body) as TicketJson).htsget.urls
    const parts = [Buffer.from(header!.url.replace(/^data:;base64,/, ''), 'base64')]
    expect(blocks.length).toBeGreaterThan(0)
    for (const { url, headers } of blocks) {
      expect(url).toMatch(new RegExp(`^${moto.url}/vault/demo/x\\.bam\\.c4gh\\?`))
      expect(verifySigV4({ url, headers: headers! }, moto.settings.credentials.secretAccessKey)).toBe(true)
      const part = await fetch(url, { headers: headers! })
      expect(part.status).toBe(206)
      parts.push(Buffer.from(await part.arrayBuffer()))
      // Another version of the object is not what was signed.
      const other = await fetch(url, { headers: { ...headers, 'If-Match': '"0"' } })
      expect([403, 412]).toContain(other.status)
    }
    const plain = await drainAsync(decryptStream([Buffer.concat(parts)], client, nodeBackend))
    const filter = 'rname=="chr1" && pos<=20000 && endpos>=10001'
    const count = async (input: Buffer) => (await output('samtools', ['view', '-c', '-e', filter, '-'], { input })).toString() // prettier-ignore
    expect(await count(plain)).toBe(await count(await readFile(demo('child.bam'))))
  })

  test('the same event again is harmless; a bad upload is refused in the bucket', async () => {
    expect(await functions.ingest(await event('s3-object-created.valid'))).toEqual({ state: 'gone' })
    await s3.send(
      new PutObjectCommand({
        Bucket: 'inbox',
        Key: 'demo/x.bam',
        Body: (await readFile(demo('child.bam'))).subarray(0, 90_000),
      }),
    )
    expect(await functions.ingest(await event('s3-object-created.valid'))).toMatchObject({
      state: 'refused',
      report: { code: 'BGZF_TRUNCATED' },
    })
    expect(await keysOf('inbox')).toEqual(['demo/x.bam', 'demo/x.bam.refused.json'])
    expect((await functions.ticket(await event('reads-get.valid'))).statusCode).toBe(200)
  })
})
