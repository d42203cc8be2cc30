import { DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { mockClient } from 'aws-sdk-client-mock'
import { createKeyPairSecret, secretRotation } from '#shared/aws/keyPairSecret.ts'
import { secretKeyStore } from '#shared/aws/secretKeyStore.ts'

const secrets = mockClient(SecretsManagerClient)
const kms = mockClient(KMSClient)
const region = 'eu-central-1'
const place = {
  secrets: new SecretsManagerClient({ region }),
  kms: new KMSClient({ region }),
  secretId: 'vault-key',
  keyId: 'arn:key',
  stack: 'htsvault-test',
}
const $metadata = {}

/** Versions by their names, in the order in which they came: a name is written once, the last is the present one. */
let versions: Map<string, string>
beforeEach(() => {
  versions = new Map()
  secrets.reset()
  kms.reset()
  secrets.on(GetSecretValueCommand).callsFake(async () => {
    const last = [...versions].at(-1)
    if (!last) throw new ResourceNotFoundException({ message: 'none', $metadata })
    return { VersionId: last[0], SecretString: last[1] }
  })
  secrets
    .on(PutSecretValueCommand)
    .callsFake(
      async ({
        ClientRequestToken: id,
        SecretString: text,
      }: Record<'ClientRequestToken' | 'SecretString', string>) => {
        if (versions.has(id) && versions.get(id) !== text)
          throw new ResourceExistsException({ message: 'there', $metadata })
        versions.set(id, text)
        return {}
      },
    )
  // Wrapping, as far as a test needs it: not the identity.
  const flip = (bytes: Uint8Array) => bytes.map(byte => byte ^ 0x55)
  kms
    .on(EncryptCommand)
    .callsFake(async ({ Plaintext }: { Plaintext: Uint8Array }) => ({ CiphertextBlob: flip(Plaintext) }))
  kms.on(DecryptCommand).callsFake(async ({ CiphertextBlob }: { CiphertextBlob: Uint8Array }) => ({
    Plaintext: flip(CiphertextBlob),
  }))
})
const hour = 3600_000

describe('the rotation of the key pair in a secret', () => {
  test('has a new pair beside the present one, then alone', async () => {
    const first = await createKeyPairSecret(place)
    const rotation = secretRotation(place)
    expect(await rotation.state()).toEqual({ publicKey: first })
    const from = new Date(Date.now() + hour)
    await rotation.begin(from)
    const { publicKey: second, newestFrom } = await rotation.state()
    expect(newestFrom).toEqual(from)

    const before = await secretKeyStore(place).keyPair()
    expect([before.publicKey, before.others?.map(o => o.publicKey)]).toEqual([first, [second]])
    const after = await secretKeyStore(place, { now: () => from.getTime() }).keyPair()
    expect([after.publicKey, after.others?.map(o => o.publicKey)]).toEqual([second, [first]])

    await rotation.end()
    expect(await rotation.state()).toEqual({ publicKey: second })
    expect((await secretKeyStore(place).keyPair()).others).toBeUndefined()
    expect(versions.size).toBe(3)
    // A deployment that comes after makes no other.
    expect(await createKeyPairSecret(place)).toEqual(second)
  })

  test('is begun once, whoever begins at the same time', async () => {
    await createKeyPairSecret(place)
    const ends = await Promise.allSettled([
      secretRotation(place).begin(new Date()),
      secretRotation(place).begin(new Date()),
    ])
    expect(ends.map(end => end.status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(ends.find(end => end.status === 'rejected')).toMatchObject({
      reason: { code: 'ROTATION_CONFLICT' },
    })
    await expect(secretRotation(place).begin(new Date())).rejects.toMatchObject({ code: 'ROTATION_CONFLICT' })
    expect(versions.size).toBe(2)
  })

  test('can be done again after it was done', async () => {
    await createKeyPairSecret(place)
    for (let i = 0; i < 3; i++) {
      await secretRotation(place).begin(new Date())
      await secretRotation(place).end()
    }
    expect(versions.size).toBe(7)
  })

  test('a new pair is in force later than any process keeps the old ones', () => {
    expect(secretRotation(place).leadMs).toBeGreaterThan(5 * 60_000)
  })
})
