import { RemovalPolicy } from 'aws-cdk-lib'
import { Key } from 'aws-cdk-lib/aws-kms'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { VaultBuckets } from './VaultBuckets.ts'
import { VaultKeyPair } from './VaultKeyPair.ts'
import { VaultUsers } from './VaultUsers.ts'

export interface VaultStateProps {
  readonly settings: Settings
}

/** What a vault keeps: two buckets, the key that encrypts them, and the vault's Crypt4GH key pair. */
export class VaultState extends Construct {
  /** Uploads, as they came, until they are ingested. */
  readonly inbox: Bucket
  /** What is served. */
  readonly vault: Bucket
  /** Encrypts the buckets and the secret; rotated every year. */
  readonly key: Key
  readonly keyPair: VaultKeyPair
  /** Who may sign in, where the settings say `cognito`. */
  readonly users: VaultUsers | undefined

  constructor(scope: Construct, id: string, { settings }: VaultStateProps) {
    super(scope, id)
    this.key = new Key(this, 'Key', {
      alias: `htsvault-${settings.stage}`,
      description: 'htsvault: encrypts the buckets, and wraps the key pair',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    const { inbox, vault } = new VaultBuckets(this, 'Buckets', { settings, key: this.key })
    this.inbox = inbox
    this.vault = vault
    this.keyPair = new VaultKeyPair(this, 'KeyPair', { settings, key: this.key })
    const { stage, cognito } = settings
    this.users = cognito && new VaultUsers(this, 'Users', { stage, cognito })
  }
}
