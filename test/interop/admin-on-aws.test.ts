import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { listFailedIngests } from '#shared/aws/failedIngests.ts'
import { createKeyPairSecret, secretRotation } from '#shared/aws/keyPairSecret.ts'
import { secretKeyStore } from '#shared/aws/secretKeyStore.ts'
import { requireTools } from '#test/support/interop.ts'
import { startMoto, type MotoServer } from '#test/support/motoServer.ts'

jest.setTimeout(120_000)

/** What an operator does, on services that others wrote. moto_server runs no functions: calling them is tried with mocks. */
requireTools('moto_server')('htsvault admin on SQS, KMS and Secrets Manager (moto_server)', () => {
  let moto: MotoServer
  beforeAll(async () => {
    moto = await startMoto()
  })
  afterAll(() => moto.stop())

  test('failed ingests are told, all of them, and stay', async () => {
    const sqs = new SQSClient(moto.settings)
    const { QueueUrl: queueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'failures' }))
    for (let i = 0; i < 12; i++)
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: JSON.stringify({ source: 'aws.s3', detail: { object: { key: `d/${i}.bam` } } }),
          MessageAttributes: { ERROR_CODE: { DataType: 'String', StringValue: 'NO_PERMISSIONS' } },
        }),
      )
    const place = {
      sqs,
      lambda: new LambdaClient(moto.settings),
      queueUrl: queueUrl!,
      functionName: 'ingest',
    }
    for (let round = 0; round < 2; round++) {
      const found = await listFailedIngests(place, 100)
      expect(found.map(f => f.key).sort()).toEqual(Array.from({ length: 12 }, (_, i) => `d/${i}.bam`).sort())
      expect(found[0]!.reason).toContain('NO_PERMISSIONS')
      expect(Date.now() - found[0]!.failed.getTime()).toBeLessThan(600_000)
    }
    sqs.destroy()
  })

  test('the key pair is rotated in its secret', async () => {
    const secrets = new SecretsManagerClient(moto.settings)
    const kms = new KMSClient(moto.settings)
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const { ARN } = await secrets.send(new CreateSecretCommand({ Name: 'rotated' }))
    const place = { secrets, kms, secretId: ARN!, keyId: KeyMetadata!.Arn!, stack: 'htsvault-test' }
    const first = Buffer.from(await createKeyPairSecret(place))
    const rotation = secretRotation(place)
    await rotation.begin(new Date())
    await expect(rotation.begin(new Date())).rejects.toMatchObject({ code: 'ROTATION_CONFLICT' })
    const ring = await secretKeyStore(place).keyPair()
    expect(first.equals(ring.publicKey)).toBe(false)
    expect(ring.others?.map(({ publicKey }) => first.equals(publicKey))).toEqual([true])
    await rotation.end()
    const after = await secretKeyStore(place).keyPair()
    expect(Buffer.from(after.publicKey).equals(ring.publicKey)).toBe(true)
    expect(after.others).toBeUndefined()
    for (const client of [secrets, kms]) client.destroy()
  })
})
