import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  HttpMethods,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import { S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY } from 'aws-cdk-lib/cx-api'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'

export interface VaultBucketsProps {
  readonly settings: Settings
  readonly key: IKey
}

/** The inbox and the vault: versioned, encrypted, closed, and kept when the stack goes. */
export class VaultBuckets extends Construct {
  readonly inbox: Bucket
  readonly vault: Bucket

  constructor(scope: Construct, id: string, { settings, key }: VaultBucketsProps) {
    super(scope, id)
    // Log delivery by bucket policy: the other way is by ACL, and these buckets have none.
    this.node.setContext(S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY, true)
    const closed = {
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
    }
    // S3 delivers its access logs to buckets with its own encryption only, never to one with a KMS key.
    const logs = new Bucket(this, 'AccessLogs', {
      ...closed,
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(settings.logRetentionDays) }],
    })
    const kept = (prefix: string) => ({
      ...closed,
      versioned: true,
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      // The class has an optional `isWebsite` that the interface, read strictly, does not take.
      serverAccessLogsBucket: logs as IBucket,
      serverAccessLogsPrefix: prefix,
    })

    this.inbox = new Bucket(this, 'Inbox', {
      ...kept('inbox/'),
      lifecycleRules: [
        {
          // A person's upload over a slow line may take days.
          abortIncompleteMultipartUploadAfter: Duration.days(7),
          noncurrentVersionExpiration: Duration.days(settings.oldVersionDays.inbox),
          expiredObjectDeleteMarker: true,
        },
      ],
    })
    // On the L1: `eventBridgeEnabled` would add a function with rights over every bucket's notifications.
    const inbox = this.inbox.node.defaultChild as CfnBucket
    inbox.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } }

    this.vault = new Bucket(this, 'Vault', {
      ...kept('vault/'),
      lifecycleRules: [
        {
          // No ingest takes longer than 12 hours.
          abortIncompleteMultipartUploadAfter: Duration.days(1),
          noncurrentVersionExpiration: Duration.days(settings.oldVersionDays.vault),
          expiredObjectDeleteMarker: true,
        },
        {
          // What a large ingest keeps while it is under way, and takes away by itself unless it is killed.
          prefix: '_htsvault/work/',
          expiration: Duration.days(2),
          noncurrentVersionExpiration: Duration.days(1),
        },
      ],
      cors: [
        {
          allowedMethods: [HttpMethods.GET, HttpMethods.HEAD],
          allowedOrigins: settings.corsOrigins,
          allowedHeaders: ['*'],
          exposedHeaders: ['Accept-Ranges', 'Content-Length', 'Content-Range', 'ETag'],
          maxAge: Duration.days(30).toSeconds(),
        },
      ],
    })

    // A bucket that stays without its policy would take requests without TLS, and no more access logs.
    for (const bucket of [logs, this.inbox, this.vault])
      bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN)
  }
}
