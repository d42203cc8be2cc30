import { createHash } from 'node:crypto'
import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import type { KMSClient } from '@aws-sdk/client-kms'
import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager'
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import * as z from 'zod'
import { generateKeyPair, keyPairOf } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { wipe } from '#shared/crypt4gh/wipe.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { DatedPair } from '#shared/vault/keyRing.ts'
import type { KeyRotation } from '#shared/vault/ports/KeyRotation.ts'

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

const wrappedPair = {
  /** 32 bytes, base64. */
  publicKey: z.base64(),
  /** What KMS made of the 32 bytes of the private key, base64. */
  wrappedKey: z.base64(),
}

const valueSchema = z.discriminatedUnion('version', [
  z.strictObject({ version: z.literal(1), ...wrappedPair }),
  /** After a rotation: the oldest pair first, each with the time from which it is the one in force. */
  z.strictObject({
    version: z.literal(2),
    pairs: z
      .array(z.strictObject({ ...wrappedPair, from: z.iso.datetime() }))
      .min(1)
      .max(2),
  }),
])

interface WrappedPair {
  readonly publicKey: Uint8Array
  readonly wrappedKey: Uint8Array
  readonly from: Date
}

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
    if (present !== undefined) return newest(present).publicKey
    const { publicKey, wrappedKey } = await makePair(place)
    const value: z.input<typeof valueSchema> = {
      version: 1,
      publicKey: base64(publicKey),
      wrappedKey: base64(wrappedKey),
    }
    try {
      await place.secrets.send(
        new PutSecretValueCommand({
          SecretId: place.secretId,
          ClientRequestToken: firstVersion,
          SecretString: JSON.stringify(value),
        }),
      )
    } catch (error) {
      if (!isNamed(error, 'ResourceExistsException')) throw error
    }
    // Read back: of several that made one at once, the secret says whose it is.
    const stored = await readValue(place)
    if (stored === undefined)
      throw new HtsvaultError('KEY_UNAVAILABLE', 'the secret has no value after it was written')
    return newest(stored).publicKey
  } catch (error) {
    throw keyUnavailable(error)
  }
}

/**
 * The vault's key pairs, unwrapped, the oldest first. The caller wipes the private halves.
 * @throws HtsvaultError KEY_UNAVAILABLE
 */
export async function readKeyPairs(place: KeyPairSecret): Promise<DatedPair[]> {
  const unwrapped: DatedPair[] = []
  try {
    for (const pair of (await readPresent(place)).pairs) unwrapped.push(await unwrap(place, pair))
    return unwrapped
  } catch (error) {
    wipe(...unwrapped.map(({ secretKey }) => secretKey))
    throw keyUnavailable(error)
  }
}

/** Processes keep a key pair for five minutes (secretKeyStore); a new one is used when all of them know of it. */
const leadMs = 10 * 60_000

/**
 * The rotation of the key pair in a secret. Each change is a new version of the secret whose name follows from the
 * version that it takes the place of: Secrets Manager takes one of several, and the version before stays readable as
 * AWSPREVIOUS until the next change.
 */
export function secretRotation(place: KeyPairSecret): KeyRotation {
  const change = async (next: (pairs: readonly WrappedPair[]) => Promise<WrappedPair[]> | WrappedPair[]) => {
    try {
      const present = await readPresent(place)
      const value: z.input<typeof valueSchema> = {
        version: 2,
        pairs: (await next(present.pairs)).map(({ publicKey, wrappedKey, from }) => ({
          publicKey: base64(publicKey),
          wrappedKey: base64(wrappedKey),
          from: from.toISOString(),
        })),
      }
      await place.secrets.send(
        new PutSecretValueCommand({
          SecretId: place.secretId,
          ClientRequestToken: createHash('sha256').update(`htsvault after ${present.id}`).digest('hex'),
          SecretString: JSON.stringify(value),
        }),
      )
    } catch (error) {
      if (!isNamed(error, 'ResourceExistsException')) throw keyUnavailable(error)
      throw new HtsvaultError('ROTATION_CONFLICT', 'somebody else changed the key pair at the same time', {
        hint: 'Run the same command again: it goes on from what is there.',
        cause: error,
      })
    }
  }
  return {
    leadMs,
    async state() {
      try {
        const { pairs } = await readPresent(place)
        const { publicKey, from } = pairs.at(-1)!
        return { publicKey, ...(pairs.length > 1 && { newestFrom: from }) }
      } catch (error) {
        throw keyUnavailable(error)
      }
    },
    begin: from =>
      change(async pairs => {
        // Never a third: the oldest would be lost while manifests still need it.
        if (pairs.length > 1)
          throw new HtsvaultError('ROTATION_CONFLICT', 'a rotation is under way already', {
            hint: 'Run the same command again: it goes on from what is there.',
          })
        return [...pairs, { ...(await makePair(place)), from }]
      }),
    end: () => change(pairs => pairs.slice(-1)),
  }
}

/** A new pair, its private half wrapped: it leaves this function so or not at all. */
async function makePair(place: KeyPairSecret): Promise<Omit<WrappedPair, 'from'>> {
  const { publicKey, secretKey } = generateKeyPair(nodeBackend)
  try {
    const { CiphertextBlob } = await place.kms.send(
      new EncryptCommand({
        KeyId: place.keyId,
        Plaintext: secretKey,
        EncryptionContext: contextOf(place),
      }),
    )
    return { publicKey, wrappedKey: CiphertextBlob! }
  } finally {
    wipe(secretKey)
  }
}

async function unwrap(
  place: KeyPairSecret,
  { publicKey, wrappedKey, from }: WrappedPair,
): Promise<DatedPair> {
  const { Plaintext: secretKey } = await place.kms.send(
    new DecryptCommand({
      KeyId: place.keyId,
      CiphertextBlob: wrappedKey,
      EncryptionContext: contextOf(place),
    }),
  )
  if (secretKey?.length !== 32) throw new HtsvaultError('KEY_UNAVAILABLE', 'what KMS unwrapped is no key')
  if (base64(keyPairOf(secretKey, nodeBackend).publicKey) !== base64(publicKey)) {
    wipe(secretKey)
    throw new HtsvaultError('KEY_UNAVAILABLE', 'the two halves in the secret do not belong together')
  }
  return { publicKey, secretKey, from }
}

async function readPresent(place: KeyPairSecret) {
  const value = await readValue(place)
  if (value === undefined) throw new HtsvaultError('KEY_UNAVAILABLE', 'the secret has no value yet')
  return value
}

const newest = ({ pairs }: { readonly pairs: readonly WrappedPair[] }): WrappedPair => pairs.at(-1)!

async function readValue({ secrets, secretId }: KeyPairSecret) {
  const reply = await secrets
    .send(new GetSecretValueCommand({ SecretId: secretId }))
    .catch((error: unknown) => {
      // Also where the secret itself is missing: then writing or using it fails, and says so.
      if (isNamed(error, 'ResourceNotFoundException')) return undefined
      throw error
    })
  if (reply?.SecretString === undefined) return undefined
  const value = valueSchema.parse(JSON.parse(reply.SecretString))
  const written = value.version === 1 ? [{ ...value, from: new Date(0).toISOString() }] : value.pairs
  const pairs = written.map(({ publicKey, wrappedKey, from }) => ({
    publicKey: bytesOf(publicKey),
    wrappedKey: bytesOf(wrappedKey),
    from: new Date(from),
  }))
  return { id: reply.VersionId ?? '', pairs }
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
