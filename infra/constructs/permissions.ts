import { Stack } from 'aws-cdk-lib'
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { EventBus } from 'aws-cdk-lib/aws-events'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { IConstruct } from 'constructs'
import type { VaultKeyPair } from './VaultKeyPair.ts'
import type { VaultState } from './VaultState.ts'

/** The purpose in the encryption context of the wrapped key pair; the other half is the vault's name. */
export const keyPairPurpose = 'htsvault-vault-key-pair'

const through = (scope: IConstruct, service: 's3' | 'secretsmanager') => {
  const { region, urlSuffix } = Stack.of(scope)
  return { 'kms:ViaService': `${service}.${region}.${urlSuffix}` }
}

/** The keys of the vault by what they hold, as patterns of a policy: `?` is one character, `*` any. */
export const vaultKeys = {
  manifests: ['*.manifest.json'],
  settings: ['*/dataset.json'],
  dictionaries: ['*.dict', '*.fai'],
  registeredKeys: ['_htsvault/keys/*.json'],
  blockMaps: ['*.blockmap', '*.blockmap.c4gh'],
  // A file that replaced another has its generation in the key.
  bodies: ['.bam', '.cram', '.vcf.gz', '.bcf'].flatMap(ending =>
    ['', '.g????????'].flatMap(generation => ['', '.c4gh'].map(sealed => `*${ending}${generation}${sealed}`)),
  ),
} as const

/** Objects of a bucket: all of them, or those whose keys fit a pattern. Datasets and names are the users' own. */
export const onObjects = (
  bucket: Bucket,
  actions: readonly string[],
  only: readonly string[] = ['*'],
): PolicyStatement =>
  new PolicyStatement({ actions: [...actions], resources: only.map(key => bucket.arnForObjects(key)) })

/** What a function may not do although another statement allows it. */
export const neverOnObjects = (
  bucket: Bucket,
  actions: readonly string[],
  only: readonly string[],
): PolicyStatement =>
  new PolicyStatement({
    effect: Effect.DENY,
    actions: [...actions],
    resources: only.map(key => bucket.arnForObjects(key)),
  })

/** One reason for several patterns of keys, as explainWildcards takes them. */
export const because = (reason: string, ...patterns: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(patterns.map(pattern => [`/${pattern}`, reason]))

/** Listing, without which S3 answers "forbidden" where an object does not exist. */
export const onList = (...buckets: readonly Bucket[]): PolicyStatement =>
  new PolicyStatement({ actions: ['s3:ListBucket'], resources: buckets.map(b => b.bucketArn) })

/** The buckets' KMS key, for the objects of these buckets and through S3 only. */
export const onObjectKeys = (
  { key }: VaultState,
  access: 'read' | 'readWrite',
  ...buckets: readonly Bucket[]
): PolicyStatement =>
  new PolicyStatement({
    // A multipart upload needs both: every part after the first decrypts the upload's data key.
    actions: access === 'read' ? ['kms:Decrypt'] : ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: [key.keyArn],
    conditions: {
      StringEquals: through(key, 's3'),
      // With bucket keys the context names the bucket; for an object that was uploaded without, the object.
      StringLike: {
        'kms:EncryptionContext:aws:s3:arn': buckets.flatMap(b => [b.bucketArn, b.arnForObjects('*')]),
      },
    },
  })

/** Reading the vault's key pair: the secret, KMS for the secret, and KMS for what the secret holds. */
export const onKeyPair = (pair: VaultKeyPair): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [pair.secretArn] }),
  secretKey(pair, ['kms:Decrypt']),
  wrappingKey(pair, ['kms:Decrypt']),
]

/** Making the key pair: reading it, since it may be there already, and writing it once. */
export const onNewKeyPair = (pair: VaultKeyPair): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
    resources: [pair.secretArn],
  }),
  secretKey(pair, ['kms:Decrypt', 'kms:GenerateDataKey']),
  wrappingKey(pair, ['kms:Decrypt', 'kms:Encrypt']),
]

const secretKey = (pair: VaultKeyPair, actions: string[]) =>
  new PolicyStatement({
    actions,
    resources: [pair.keyArn],
    conditions: {
      StringEquals: { ...through(pair, 'secretsmanager'), 'kms:EncryptionContext:SecretARN': pair.secretArn },
    },
  })

const wrappingKey = (pair: VaultKeyPair, actions: string[]) =>
  new PolicyStatement({
    actions,
    resources: [pair.keyArn],
    conditions: {
      StringEquals: {
        'kms:EncryptionContext:stack': pair.vaultName,
        'kms:EncryptionContext:purpose': keyPairPurpose,
      },
    },
  })

/** What a function needs to know to find the key pair. */
export const keyPairEnvironment = (pair: VaultKeyPair): Readonly<Record<string, string>> => ({
  KEY_SECRET_ID: pair.secretArn,
  KEY_ID: pair.keyArn,
  VAULT_NAME: pair.vaultName,
})

/** Announcing on the vault's bus, as the vault and of what it announces. */
export const onBus = (bus: EventBus): PolicyStatement =>
  new PolicyStatement({
    actions: ['events:PutEvents'],
    resources: [bus.eventBusArn],
    conditions: {
      StringEquals: { 'events:source': 'htsvault', 'events:detail-type': ['FileReady', 'FileRefused'] },
    },
  })
