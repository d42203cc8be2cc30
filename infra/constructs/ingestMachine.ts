import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import {
  DefinitionBody,
  type IChainable,
  JitterType,
  JsonPath,
  LogLevel,
  type RetryProps,
  StateMachine,
  TaskInput,
} from 'aws-cdk-lib/aws-stepfunctions'
import { LambdaInvoke, SqsSendMessage } from 'aws-cdk-lib/aws-stepfunctions-tasks'
import type { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { explainWildcards } from './explainWildcards.ts'

const retry = (maxAttempts: number): RetryProps => ({
  errors: ['States.ALL'],
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxAttempts,
  maxDelay: Duration.seconds(60),
  jitterStrategy: JitterType.FULL,
})

/** A state that calls the function of large ingests. */
export function ingestStep(
  scope: Construct,
  id: string,
  props: {
    readonly handler: IFunction
    readonly input: Record<string, unknown>
    readonly resultPath?: string
    readonly attempts: number
  },
): LambdaInvoke {
  const { handler, input, resultPath, attempts } = props
  const step = new LambdaInvoke(scope, id, {
    lambdaFunction: handler,
    payload: TaskInput.fromObject(input),
    payloadResponseOnly: true,
    // Among all errors, which are retried below.
    retryOnServiceExceptions: false,
    ...(resultPath !== undefined && { resultPath }),
  })
  step.addRetry(retry(attempts))
  return step
}

/** A state that puts an upload into the queue of failed ingests. `keyPath`: where in the state its key is. */
export function reportUpload(
  scope: Construct,
  id: string,
  props: { readonly failures: IQueue; readonly inbox: Bucket; readonly keyPath: string },
): SqsSendMessage {
  const report = new SqsSendMessage(scope, id, {
    comment: 'As the event that began it, for htsvault admin redrive.',
    queue: props.failures,
    messageBody: TaskInput.fromObject({
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: {
        bucket: { name: props.inbox.bucketName },
        object: { key: JsonPath.stringAt(props.keyPath) },
      },
    }),
    resultPath: JsonPath.DISCARD,
  })
  report.addRetry(retry(8))
  return report
}

/** A state machine of such states, with its role and its log. */
export function ingestMachine(
  scope: Construct,
  props: {
    readonly settings: Settings
    readonly comment: string
    readonly definition: IChainable
    readonly timeout: Duration
  },
): StateMachine {
  const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') })
  explainWildcards(role, {
    ':*': 'The function, in whatever version.',
    '*': 'Traces and the delivery of logs belong to no resource.',
  })
  return new StateMachine(scope, 'StateMachine', {
    comment: `htsvault: ${props.comment}`,
    definitionBody: DefinitionBody.fromChainable(props.definition),
    role,
    timeout: props.timeout,
    tracingEnabled: true,
    logs: {
      destination: new LogGroup(scope, 'Log', {
        retention: props.settings.logRetentionDays,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      level: LogLevel.ALL,
      // Keys of uploads are for the log of the functions to leave out, and for this one too.
      includeExecutionData: false,
    },
  })
}
