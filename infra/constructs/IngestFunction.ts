import { Duration } from 'aws-cdk-lib'
import { type EventBus, Rule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { explain } from './explain.ts'
import {
  because,
  keyPairEnvironment,
  neverOnObjects,
  onBus,
  onKeyPair,
  onList,
  onObjectKeys,
  onObjects,
  vaultKeys,
} from './permissions.ts'
import { VaultFunction } from './VaultFunction.ts'
import type { VaultState } from './VaultState.ts'

export interface IngestFunctionProps {
  readonly settings: Settings
  readonly state: VaultState
  /** Where it announces what became of an upload. */
  readonly bus: EventBus
}

/** Takes every upload into the vault: the function, the rule that starts it, and the queue of what it failed on. */
export class IngestFunction extends Construct {
  readonly handler: NodejsFunction
  /** Events that could not be worked off, for a reason of ours. A refused file is not one of them. */
  readonly failures: Queue

  constructor(scope: Construct, id: string, { settings, state, bus }: IngestFunctionProps) {
    super(scope, id)
    this.failures = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    explain(this.failures, { 'AwsSolutions-SQS3': 'This is the dead letter queue.' })

    this.handler = new VaultFunction(this, 'Function', {
      settings,
      name: 'ingest',
      description: 'checks, indexes and encrypts an upload',
      memory: settings.memory.ingest,
      timeout: Duration.minutes(15),
      concurrency: settings.ingestConcurrency,
      environment: {
        INBOX_BUCKET: state.inbox.bucketName,
        VAULT_BUCKET: state.vault.bucketName,
        EVENT_BUS: bus.eventBusName,
        ...keyPairEnvironment(state.keyPair),
      },
      may: [
        onObjects(state.inbox, ['s3:GetObject', 's3:DeleteObject']),
        onObjects(state.inbox, ['s3:PutObject'], ['*.refused.json']),
        onObjects(state.vault, [
          's3:AbortMultipartUpload',
          's3:DeleteObject',
          's3:GetObject',
          's3:PutObject',
        ]),
        // Who may open and read a dataset is for its owner to say, and whose a key is for the operator.
        neverOnObjects(
          state.vault,
          ['s3:DeleteObject', 's3:PutObject'],
          [...vaultKeys.settings, ...vaultKeys.registeredKeys],
        ),
        onList(state.inbox, state.vault),
        onObjectKeys(state, 'readWrite', state.inbox, state.vault),
        ...onKeyPair(state.keyPair),
        onBus(bus),
      ],
      wildcards: {
        ...because("Any upload, and any file of the vault: datasets and names are the users' own.", '*'),
        ...because('Into the inbox it writes refusals alone, beside any upload.', '*.refused.json'),
      },
    }).handler
    this.handler.configureAsyncInvoke({
      retryAttempts: 2,
      maxEventAge: Duration.hours(6),
      onFailure: new SqsDestination(this.failures),
    })

    new Rule(this, 'Uploaded', {
      description: 'htsvault: an upload is complete',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [state.inbox.bucketName] },
          // The ingest writes these itself.
          object: { key: [{ 'anything-but': { suffix: '.refused.json' } }] },
        },
      },
      targets: [
        new LambdaFunction(this.handler, { deadLetterQueue: this.failures, maxEventAge: Duration.hours(24) }),
      ],
    })
  }
}
