import { Duration } from 'aws-cdk-lib'
import type { EventBus } from 'aws-cdk-lib/aws-events'
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import {
  Choice,
  Condition,
  DistributedMap,
  Fail,
  JsonPath,
  type StateMachine,
  StateMachineType,
  Succeed,
} from 'aws-cdk-lib/aws-stepfunctions'
import type { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { explainWildcards } from './explainWildcards.ts'
import { ingestMachine, ingestStep, reportUpload } from './ingestMachine.ts'
import { mayIngest } from './mayIngest.ts'
import { onObjects } from './permissions.ts'
import { StoppedIngests } from './StoppedIngests.ts'
import { VaultFunction } from './VaultFunction.ts'
import type { VaultState } from './VaultState.ts'

export interface LargeIngestProps {
  readonly settings: Settings
  readonly state: VaultState
  /** Where it announces what became of an upload. */
  readonly bus: EventBus
  /** Where the event of an upload goes that could not be ingested for a reason of ours. */
  readonly failures: IQueue
}

/** With what an execution fails that has given its ingest up, and reported it. */
const givenUp = 'IngestFailed'

/** How long one step may take. */
const longestCall = Duration.minutes(15)

/**
 * Takes large files in: plan, workers on shards, publish; where one of them fails for good, nothing is left of it and
 * the upload waits in the queue of failed ingests. Its input is `{key, etag}` of an upload.
 */
export class LargeIngest extends Construct {
  readonly stateMachine: StateMachine
  readonly handler: NodejsFunction
  readonly stopped: StoppedIngests

  constructor(scope: Construct, id: string, props: LargeIngestProps) {
    super(scope, id)
    const { settings, state, bus } = props
    const ingest = mayIngest(state, bus)
    this.handler = new VaultFunction(this, 'Function', {
      settings,
      name: 'largeIngest',
      description: 'one step of the ingest of a large file',
      memory: settings.memory.largeIngest,
      timeout: longestCall,
      ...ingest,
      environment: { ...ingest.environment, METRICS_SERVICE: 'ingest' },
      // Which parts are there, S3 is asked before it joins them.
      may: [...ingest.may, onObjects(state.vault, ['s3:ListMultipartUploadParts'])],
    }).handler

    this.stateMachine = ingestMachine(this, {
      settings,
      comment: 'takes in a large file',
      definition: this.definition(props),
      // Multipart uploads that were left are removed a day later.
      timeout: Duration.hours(12),
    })
    const children = 'The executions that the map starts have names of their own.'
    const policy = 'DistributedMapPolicy'
    explainWildcards(this.stateMachine, { '/*:*': children, ':*': children }, policy)
    this.stopped = new StoppedIngests(this, 'Stopped', {
      settings,
      state,
      handler: this.handler,
      longestCall,
      largeIngest: this.stateMachine,
      givenUp,
      failures: props.failures,
    })
  }

  private definition({ settings, state, failures }: LargeIngestProps): LambdaInvoke {
    const upload = {
      work: JsonPath.stringAt('$$.Execution.Name'),
      key: JsonPath.stringAt('$.key'),
      etag: JsonPath.stringAt('$.etag'),
    }
    const plan = this.step('Plan', { operation: 'plan', ...upload }, { resultPath: '$.plan' }, 4)
    const shard = this.step('Shard', {
      operation: 'shard',
      work: JsonPath.stringAt('$.work'),
      shard: JsonPath.numberAt('$.shard'),
    })
    const shards = new DistributedMap(this, 'Shards', {
      comment: 'Each encrypts, digests and indexes some parts of the file; any may be repeated.',
      itemsPath: '$.plan.shards',
      itemSelector: {
        work: JsonPath.stringAt('$$.Execution.Name'),
        shard: JsonPath.numberAt('$$.Map.Item.Value'),
      },
      maxConcurrency: settings.largeFiles.workers,
      // At least once is enough, and a fraction of the price.
      mapExecutionType: StateMachineType.EXPRESS,
      resultPath: JsonPath.DISCARD,
    }).itemProcessor(shard)
    const publish = this.step(
      'Publish',
      {
        operation: 'publish',
        work: JsonPath.stringAt('$$.Execution.Name'),
        began: JsonPath.stringAt('$$.Execution.StartTime'),
      },
      { resultPath: '$.end' },
      4,
    )
    const abandon = this.step('Abandon', { operation: 'abandon', ...upload }, { resultPath: '$.end' }, 8)
    const report = reportUpload(this, 'Report', { failures, inbox: state.inbox, keyPath: '$.key' })

    const done = new Succeed(this, 'Done', { comment: 'Served, refused, or replaced in the meantime.' })
    const failed = new Fail(this, 'Failed', {
      error: givenUp,
      cause: 'The upload waits in the queue of failed ingests; the reason is in the log of the function.',
    })
    const caught = { resultPath: '$.error' }
    for (const each of [plan, shards, publish]) each.addCatch(abandon, caught)
    abandon.addCatch(report, caught)
    plan.next(
      new Choice(this, 'Planned?')
        .when(Condition.stringEquals('$.plan.state', 'planned'), shards)
        .otherwise(done),
    )
    shards.next(publish)
    publish.next(done)
    abandon.next(
      new Choice(this, 'Waits?')
        .when(Condition.stringEquals('$.end.state', 'failed'), report)
        .otherwise(done),
    )
    report.next(failed)
    return plan
  }

  /** A call of the function. */
  private step(
    id: string,
    input: Record<string, unknown>,
    more: { readonly resultPath?: string } = {},
    attempts = 6,
  ): LambdaInvoke {
    return ingestStep(this, id, { handler: this.handler, input, attempts, ...more })
  }
}
