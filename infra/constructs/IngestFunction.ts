import { ArnFormat, Duration, Stack } from 'aws-cdk-lib'
import { type EventBus, Rule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { explain } from './explain.ts'
import { mayIngest } from './mayIngest.ts'
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

    const ingest = mayIngest(state, bus)
    this.handler = new VaultFunction(this, 'Function', {
      settings,
      name: 'ingest',
      description: 'checks, indexes and encrypts an upload',
      memory: settings.memory.ingest,
      timeout: Duration.minutes(15),
      concurrency: settings.ingestConcurrency,
      ...ingest,
      wildcards: {
        ...ingest.wildcards,
        ':*': 'Executions have names of their own: it asks whether one that it started is still running.',
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
  /** Has it leave files of so many bytes and more to a state machine. */
  handOver(stateMachine: StateMachine, fromBytes: number): void {
    this.handler.addEnvironment('LARGE_INGEST', stateMachine.stateMachineArn)
    this.handler.addEnvironment('LARGE_FROM_BYTES', String(fromBytes))
    this.handler.addToRolePolicy(
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachine.stateMachineArn] }),
    )
    this.handler.addToRolePolicy(
      new PolicyStatement({
        actions: ['states:DescribeExecution'],
        resources: [
          Stack.of(this).formatArn({
            service: 'states',
            resource: 'execution',
            resourceName: `${stateMachine.stateMachineName}:*`,
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        ],
      }),
    )
  }
}
