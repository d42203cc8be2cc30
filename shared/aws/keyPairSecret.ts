import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import type { KMSClient } from '@aws-sdk/client-kms'
import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager'
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { z } from 'zod'
import { generateKeyPair, keyPairOf } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { KeyPair } from '#shared/vault/ports/KeyStore.ts'

/** Where a stack keeps the vault's key pair, and how it gets at it. */
export interface KeyPairSecret {
  readonly secrets: SecretsManagerClient
  readonly kms: KMSClient
  /** Name or ARN of the secret; made without a value. */
  readonly secretId: string
  /** Id or ARN of the KMS key that wraps the private key. */
  readonly keyId: string
  /** Name of the stack: bound into the wrapping, so that no other stack's functions unwrap it. */
  readonly stack: string
}

const valueSchema = z.strictObject({
  version: z.literal(1),
  /** 32 bytes, base64. */
  publicKey: z.base64(),
  /** What KMS made of the 32 bytes of the private key, base64. */
  wrappedKey: z.base64(),
})

/** The version of the secret that holds the first key pair: a version is written once, whoever else tries. */
const firstVersion = 'htsvault-first-key-pair-00000001'

/** The stack's policies name it too: the wrapped key is for this and nothing else. */
export const keyPairPurpose = 'htsvault-vault-key-pair'

const contextOf = ({ stack }: KeyPairSecret) => ({ stack, purpose: keyPairPurpose })

/**
 * Makes the vault's key pair where the secret has no value yet: generated here, wrapped by KMS, stored once however
 * often and by however many it is called.
 * @returns the public half, 32 bytes; the private half leaves this function wrapped or not at all.
 * @throws HtsvaultError KEY_UNAVAILABLE
 */
export async function createKeyPairSecret(place: KeyPairSecret): Promise<Uint8Array> {
  try {
    const present = await readValue(place)
    if (present !== undefined) return present.publicKey
    const { publicKey, secretKey } = generateKeyPair(nodeBackend)
    try {
      const { CiphertextBlob } = await place.kms.send(
        new EncryptCommand({
          KeyId: place.keyId,
          Plaintext: secretKey,
          EncryptionContext: contextOf(place),
        }),
      )
      const value: z.input<typeof valueSchema> = {
        version: 1,
        publicKey: base64(publicKey),
        wrappedKey: base64(CiphertextBlob!),
      }
      await place.secrets.send(
        new PutSecretValueCommand({
          SecretId: place.secretId,
          ClientRequestToken: firstVersion,
          SecretString: JSON.stringify(value),
        }),
      )
    } catch (error) {
      if (!isNamed(error, 'ResourceExistsException')) throw error
    } finally {
      wipe(secretKey)
    }
    // Read back: of several that made one at once, the secret says whose it is.
    const stored = await readValue(place)
    if (stored === undefined)
      throw new HtsvaultError('KEY_UNAVAILABLE', 'the secret has no value after it was written')
    return stored.publicKey
  } catch (error) {
    throw keyUnavailable(error)
  }
}

/**
 * The vault's key pair, unwrapped. The caller wipes the private half.
 * @throws HtsvaultError KEY_UNAVAILABLE
 */
export async function readKeyPair(place: KeyPairSecret): Promise<KeyPair> {
  try {
    const value = await readValue(place)
    if (value === undefined) throw new HtsvaultError('KEY_UNAVAILABLE', 'the secret has no value yet')
    const { Plaintext: secretKey } = await place.kms.send(
      new DecryptCommand({
        KeyId: place.keyId,
        CiphertextBlob: value.wrappedKey,
        EncryptionContext: contextOf(place),
      }),
    )
    if (secretKey?.length !== 32) throw new HtsvaultError('KEY_UNAVAILABLE', 'what KMS unwrapped is no key')
    const { publicKey } = keyPairOf(secretKey, nodeBackend)
    if (base64(publicKey) !== base64(value.publicKey)) {
      wipe(secretKey)
      throw new HtsvaultError('KEY_UNAVAILABLE', 'the two halves in the secret do not belong together')
    }
    return { publicKey, secretKey }
  } catch (error) {
    throw keyUnavailable(error)
  }
}

async function readValue({ secrets, secretId }: KeyPairSecret) {
  const reply = await secrets
    .send(new GetSecretValueCommand({ SecretId: secretId }))
    .catch((error: unknown) => {
      // Also where the secret itself is missing: then writing or using it fails, and says so.
      if (isNamed(error, 'ResourceNotFoundException')) return undefined
      throw error
    })
  if (reply?.SecretString === undefined) return undefined
  const { publicKey, wrappedKey } = valueSchema.parse(JSON.parse(reply.SecretString))
  return { publicKey: bytesOf(publicKey), wrappedKey: bytesOf(wrappedKey) }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

const isNamed = (error: unknown, name: string): boolean =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === name

function keyUnavailable(cause: unknown): HtsvaultError {
  if (cause instanceof HtsvaultError) return cause
  const name =
    typeof cause === 'object' && cause !== null && 'name' in cause ? String(cause.name) : 'unknown error'
  return new HtsvaultError('KEY_UNAVAILABLE', `the vault's key pair cannot be had: ${name}`, {
    hint: "Check that the function's role may use the secret (secretsmanager:GetSecretValue) and the KMS key (kms:Decrypt), and that the secret holds what the stack put there.",
    cause,
  })
}
