import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { createKeyPairSecret, readKeyPairs } from '#shared/aws/keyPairSecret.ts'
import { s3Store } from '#shared/aws/s3Store.ts'
import { secretKeyStore } from '#shared/aws/secretKeyStore.ts'
import { keyStoreContract } from '#test/support/contract/keyStore.ts'
import { objectStoreContract } from '#test/support/contract/objectStore.ts'
import { requireTools } from '#test/support/interop.ts'
import { startMoto } from '#test/support/motoServer.ts'
import type { MotoServer } from '#test/support/motoServer.ts'

jest.setTimeout(120_000)
const code = (value: string) => expect.objectContaining({ name: 'HtsvaultError', code: value }) as unknown

requireTools('moto_server')('on AWS services that moto_server imitates', () => {
  let moto: MotoServer
  let s3: S3Client
  let secrets: SecretsManagerClient
  let kms: KMSClient
  let count = 0

  beforeAll(async () => {
    moto = await startMoto()
    s3 = new S3Client({ ...moto.settings, forcePathStyle: true })
    secrets = new SecretsManagerClient(moto.settings)
    kms = new KMSClient(moto.settings)
    await s3.send(
      new CreateBucketCommand({
        Bucket: 'vault',
        CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
      }),
    )
  })
  afterAll(async () => {
    for (const client of [s3, secrets, kms]) client.destroy()
    await moto.stop()
  })

  describe('the S3 store', () => {
    afterEach(async () => {
      const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'vault' }))
      expect(Uploads ?? []).toEqual([])
    })

    // moto does not look at If-Match when a multipart upload is completed, nor at that of a part's source; that the
    // headers are sent are unit tests.
    objectStoreContract(() => s3Store(s3, 'vault'), {
      ifMatchOnLargeUploads: false,
      partsOfEndedUploads: false,
      ifMatchOnCopies: false,
      // It lists parts without their sums, and shows a CRC-32 where it should a CRC-64.
      sumsOfParts: false,
    })

    test('a bucket that is not there is an outage, not an absence', async () => {
      const store = s3Store(s3, 'no-such-bucket')
      const list = async () => {
        for await (const { key } of store.list('')) throw new Error(key)
      }
      await expect(store.get('x', 10)).rejects.toEqual(code('STORE_UNAVAILABLE'))
      await expect(store.read('x', 0, 1)).rejects.toEqual(code('STORE_UNAVAILABLE'))
      await expect(store.put('x', new Uint8Array(1))).rejects.toEqual(code('STORE_UNAVAILABLE'))
      await expect(list()).rejects.toEqual(code('STORE_UNAVAILABLE'))
    })
  })

  const emptySecret = async () => {
    const secretId = `vault-key-${++count}`
    await secrets.send(new CreateSecretCommand({ Name: secretId }))
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    return { secrets, kms, secretId, keyId: KeyMetadata!.Arn!, stack: 'HtsVault' }
  }

  describe('the key pair in Secrets Manager, wrapped by KMS', () => {
    keyStoreContract(async () => {
      const place = await emptySecret()
      await createKeyPairSecret(place)
      return { open: () => secretKeyStore(place) }
    })

    test('is made once, and only its public half comes out', async () => {
      const place = await emptySecret()
      const first = await createKeyPairSecret(place)
      const again = await createKeyPairSecret(place)
      expect(Buffer.from(again).equals(first)).toBe(true)
      const [pair] = await readKeyPairs(place)
      const { publicKey, secretKey } = pair!
      expect(Buffer.from(publicKey).equals(first)).toBe(true)
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: place.secretId }))
      for (const encoding of ['base64', 'hex'] as const)
        expect(SecretString).not.toContain(Buffer.from(secretKey).toString(encoding))
    })

    test('opens for its own stack only', async () => {
      const place = await emptySecret()
      await createKeyPairSecret(place)
      await expect(readKeyPairs({ ...place, stack: 'Other' })).rejects.toEqual(code('KEY_UNAVAILABLE'))
    })

    test('is an error where it is missing, empty or spoilt', async () => {
      const place = await emptySecret()
      await expect(readKeyPairs(place)).rejects.toEqual(code('KEY_UNAVAILABLE'))
      await expect(createKeyPairSecret({ ...place, secretId: 'none' })).rejects.toEqual(
        code('KEY_UNAVAILABLE'),
      )
      await secrets.send(new PutSecretValueCommand({ SecretId: place.secretId, SecretString: '{"a":1}' }))
      await expect(readKeyPairs(place)).rejects.toEqual(code('KEY_UNAVAILABLE'))
      await expect(createKeyPairSecret(place)).rejects.toEqual(code('KEY_UNAVAILABLE'))
    })
  })
})
