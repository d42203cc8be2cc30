import { Duration } from 'aws-cdk-lib'
import { Rule } from 'aws-cdk-lib/aws-events'
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import {
  Choice,
  Condition,
  JsonPath,
  Pass,
  type StateMachine,
  Succeed,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { ingestMachine, ingestStep, reportUpload } from './ingestMachine.ts'
import type { VaultState } from './VaultState.ts'

export interface StoppedIngestsProps {
  readonly settings: Settings
  readonly state: VaultState
  /** The function that works on large ingests, and how long one call of it may take. */
  readonly handler: IFunction
  readonly longestCall: Duration
  readonly largeIngest: StateMachine
  /** With which its executions fail that gave the ingest up by themselves. */
  readonly givenUp: string
  readonly failures: IQueue
}

/** The children of the map are Express executions: one may call a function as late as that. */
const longestChildMinutes = 5

/**
 * Ends the large ingests whose execution could not do it: it took too long, was stopped by somebody, or failed in Step
 * Functions itself, which no state of its own can catch. Nothing is left of them, and their uploads wait in the queue of
 * failed ingests.
 */
export class StoppedIngests extends Construct {
  readonly stateMachine: StateMachine

  constructor(scope: Construct, id: string, props: StoppedIngestsProps) {
    super(scope, id)
    const { settings, largeIngest, failures } = props
    this.stateMachine = ingestMachine(this, {
      settings,
      comment: 'ends large ingests whose execution was stopped',
      definition: this.definition(props),
      timeout: Duration.hours(1),
    })
    new Rule(this, 'Stopped', {
      description: 'htsvault: the ingest of a large file was stopped',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [largeIngest.stateMachineArn],
          status: ['ABORTED', 'FAILED', 'TIMED_OUT'],
        },
      },
      targets: [
        new SfnStateMachine(this.stateMachine, {
          deadLetterQueue: failures,
          maxEventAge: Duration.hours(24),
        }),
      ],
    })
  }

  private definition({ state, handler, longestCall, givenUp, failures }: StoppedIngestsProps): Choice {
    const wait = new Wait(this, 'Wait', {
      comment: 'What a stopped execution began goes on; when this is over nothing does.',
      time: WaitTime.duration(Duration.minutes(longestChildMinutes + longestCall.toMinutes())),
    })
    const read = new Pass(this, 'Read', {
      parameters: {
        work: JsonPath.stringAt('$.detail.name'),
        upload: JsonPath.stringToJson(JsonPath.stringAt('$.detail.input')),
      },
    })
    const abandon = ingestStep(this, 'Abandon', {
      handler,
      input: {
        operation: 'abandon',
        work: JsonPath.stringAt('$.work'),
        key: JsonPath.stringAt('$.upload.key'),
        etag: JsonPath.stringAt('$.upload.etag'),
      },
      resultPath: '$.end',
      attempts: 8,
    })
    const report = reportUpload(this, 'Report', { failures, inbox: state.inbox, keyPath: '$.upload.key' })
    const done = new Succeed(this, 'Done')
    abandon.addCatch(report, { resultPath: '$.error' })
    wait
      .next(read)
      .next(abandon)
      .next(
        new Choice(this, 'Waits?')
          .when(Condition.stringEquals('$.end.state', 'failed'), report)
          .otherwise(done),
      )
    report.next(done)
    return new Choice(this, 'Reported?')
      .when(
        Condition.and(
          Condition.isPresent('$.detail.error'),
          Condition.stringEquals('$.detail.error', givenUp),
        ),
        done,
      )
      .otherwise(wait)
  }
}
