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
import { createKeyPairSecret } from '#shared/aws/keyPairSecret.ts'
import { secretKeyStore } from '#shared/aws/secretKeyStore.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'

const secretsMock = mockClient(SecretsManagerClient)
const kmsMock = mockClient(KMSClient)
const place = {
  secrets: new SecretsManagerClient({ region: 'eu-central-1' }),
  kms: new KMSClient({ region: 'eu-central-1' }),
  secretId: 'vault-key',
  keyId: 'arn:key',
  stack: 'HtsVault',
}
const context = { stack: 'HtsVault', purpose: 'htsvault-vault-key-pair' }
const $metadata = {}
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const code = (value: string) => expect.objectContaining({ name: 'HtsvaultError', code: value }) as unknown

beforeEach(() => {
  secretsMock.reset()
  kmsMock.reset()
})

describe('making the key pair', () => {
  test('two functions at once agree on the one that was stored', async () => {
    const winner = generateKeyPair(nodeBackend)
    secretsMock
      .on(GetSecretValueCommand)
      .rejectsOnce(new ResourceNotFoundException({ message: 'no value', $metadata }))
      .resolves({
        SecretString: JSON.stringify({ version: 1, publicKey: base64(winner.publicKey), wrappedKey: 'AAAA' }),
      })
    secretsMock
      .on(PutSecretValueCommand)
      .rejects(new ResourceExistsException({ message: 'there', $metadata }))
    kmsMock.on(EncryptCommand).resolves({ CiphertextBlob: new Uint8Array(8) })
    expect(base64(await createKeyPairSecret(place))).toBe(base64(winner.publicKey))
    expect(secretsMock.commandCalls(PutSecretValueCommand)[0]!.args[0].input.ClientRequestToken).toMatch(
      /^.{32,64}$/,
    )
  })

  test('the private half goes to KMS alone, bound to stack and purpose, and is wiped', async () => {
    let stored = ''
    let given = ''
    secretsMock.on(GetSecretValueCommand).callsFake(async () => {
      if (stored === '') throw new ResourceNotFoundException({ message: 'no value', $metadata })
      return { SecretString: stored }
    })
    secretsMock.on(PutSecretValueCommand).callsFake(async ({ SecretString }: { SecretString: string }) => {
      stored = SecretString
      return {}
    })
    kmsMock.on(EncryptCommand).callsFake(async ({ Plaintext }: { Plaintext: Uint8Array }) => {
      given = base64(Plaintext)
      return { CiphertextBlob: new Uint8Array(100).fill(5) }
    })
    await createKeyPairSecret(place)
    const { input } = kmsMock.commandCalls(EncryptCommand)[0]!.args[0]
    expect(input).toMatchObject({ KeyId: 'arn:key', EncryptionContext: context })
    expect(stored).not.toContain(given)
    expect(input.Plaintext).toEqual(new Uint8Array(32))
  })

  test('nothing is stored where KMS does not answer', async () => {
    secretsMock
      .on(GetSecretValueCommand)
      .rejects(new ResourceNotFoundException({ message: 'no value', $metadata }))
    kmsMock.on(EncryptCommand).rejects(new Error('down'))
    await expect(createKeyPairSecret(place)).rejects.toEqual(code('KEY_UNAVAILABLE'))
    expect(secretsMock.commandCalls(PutSecretValueCommand)).toHaveLength(0)
  })
})

describe('reading the key pair', () => {
  const pair = generateKeyPair(nodeBackend)
  /** What KMS gave, in the order in which it gave it. */
  let unwrapped: Uint8Array[]
  beforeEach(() => {
    unwrapped = []
    secretsMock.on(GetSecretValueCommand).resolves({
      SecretString: JSON.stringify({ version: 1, publicKey: base64(pair.publicKey), wrappedKey: 'AAAA' }),
    })
    kmsMock.on(DecryptCommand).callsFake(async () => {
      const Plaintext = pair.secretKey.slice()
      unwrapped.push(Plaintext)
      return { Plaintext }
    })
  })

  test('KMS is asked once in five minutes, and what it gave is wiped after', async () => {
    let time = 0
    const store = secretKeyStore(place, { now: () => time })
    const [first] = await Promise.all([store.keyPair(), store.keyPair(), store.keyPair()])
    time = 299_999
    await store.keyPair()
    expect(unwrapped).toHaveLength(1)
    time = 300_000
    expect(await store.keyPair()).toEqual(pair)
    expect(unwrapped).toHaveLength(2)
    expect(unwrapped[0]).toEqual(new Uint8Array(32))
    // Work that began before goes on with the key.
    expect(first.secretKey).toEqual(pair.secretKey)
    expect(kmsMock.commandCalls(DecryptCommand)[0]!.args[0].input).toMatchObject({
      KeyId: 'arn:key',
      EncryptionContext: context,
    })
  })

  test('it is wiped by the clock too', async () => {
    const store = secretKeyStore(place, { cacheMs: 1 })
    await store.keyPair()
    while (unwrapped[0]!.some(byte => byte !== 0)) await new Promise(resolve => setTimeout(resolve, 1))
    expect(await store.keyPair()).toEqual(pair)
  })

  test('a failure is not kept', async () => {
    kmsMock.on(DecryptCommand).rejectsOnce(new Error('down')).resolves({ Plaintext: pair.secretKey.slice() })
    const store = secretKeyStore(place)
    await expect(store.keyPair()).rejects.toEqual(code('KEY_UNAVAILABLE'))
    expect(await store.keyPair()).toEqual(pair)
  })

  test('halves that do not belong together are not used', async () => {
    kmsMock.on(DecryptCommand).resolves({ Plaintext: generateKeyPair(nodeBackend).secretKey })
    await expect(secretKeyStore(place).keyPair()).rejects.toEqual(code('KEY_UNAVAILABLE'))
    kmsMock.on(DecryptCommand).resolves({ Plaintext: new Uint8Array(31) })
    await expect(secretKeyStore(place).keyPair()).rejects.toEqual(code('KEY_UNAVAILABLE'))
  })
})
