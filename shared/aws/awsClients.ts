import { KMSClient } from '@aws-sdk/client-kms'
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import type { KeyPairSecret } from './keyPairSecret.ts'
import { s3Store } from './s3Store.ts'
import { secretKeyStore } from './secretKeyStore.ts'

/** In milliseconds: how long a connection may take, and how long one may be silent. */
const requestHandler = { connectionTimeout: 3000, socketTimeout: 30_000 }
const common = { maxAttempts: 5, requestHandler }

/** The client of S3; region, credentials and AWS_ENDPOINT_URL from the environment. */
export const s3Client = (): S3Client =>
  new S3Client({ ...common, forcePathStyle: process.env['AWS_ENDPOINT_URL'] !== undefined })

/** Where the vault's key pair is, with clients of the environment. */
export const keyPairSecret = (
  settings: Pick<KeyPairSecret, 'secretId' | 'keyId' | 'stack'>,
): KeyPairSecret => ({
  ...settings,
  secrets: new SecretsManagerClient(common),
  kms: new KMSClient(common),
})

export interface AwsVaultSettings {
  readonly inboxBucket: string
  readonly vaultBucket: string
  readonly keyPair: Pick<KeyPairSecret, 'secretId' | 'keyId' | 'stack'>
}

/** The vault's ports on AWS. */
export function awsPorts({ inboxBucket, vaultBucket, keyPair }: AwsVaultSettings): VaultPorts {
  const client = s3Client()
  return {
    inbox: s3Store(client, inboxBucket),
    vault: s3Store(client, vaultBucket),
    keys: secretKeyStore(keyPairSecret(keyPair)),
  }
}
