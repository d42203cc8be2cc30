import { ArnFormat, Duration, Stack } from 'aws-cdk-lib'
import type { RestApi } from 'aws-cdk-lib/aws-apigateway'
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  PeriodOverride,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'

export interface VaultMonitoringProps {
  readonly settings: Settings
  /** Encrypts what waits in the topic of alarms. */
  readonly key: IKey
  readonly api: RestApi
  readonly functions: { readonly ingest: IFunction; readonly ticket: IFunction; readonly data: IFunction }
  /** The dead letter queue. */
  readonly failures: IQueue
  /** Of the ingests of large files. */
  readonly largeIngest: IStateMachine
  /** Ends those whose execution was stopped. */
  readonly stoppedIngests: IStateMachine
}

interface AlarmProps {
  readonly what: string
  readonly metric: IMetric
  readonly threshold: number
  /** Of so many periods in a row (default one). */
  readonly periods?: number
}

const fiveMinutes = Duration.minutes(5)

/** One dashboard, and the alarms that somebody should get up for. */
export class VaultMonitoring extends Construct {
  /** Where alarms go; absent where the settings name nobody. */
  readonly topic: ITopic | undefined

  constructor(scope: Construct, id: string, props: VaultMonitoringProps) {
    super(scope, id)
    const { settings, key, api, functions, failures, largeIngest, stoppedIngests } = props
    this.topic = this.topicOf(settings, key)
    const vault = `htsvault-${settings.stage}`
    const own = (service: string, metricName: string, statistic: string, period = fiveMinutes) =>
      new Metric({
        namespace: 'htsvault',
        metricName,
        statistic,
        period,
        dimensionsMap: { service, vault },
      })
    const all = (label: string, metricOf: (of: IFunction) => IMetric) =>
      new MathExpression({
        label,
        expression: 'ingest + ticket + data',
        usingMetrics: {
          ingest: metricOf(functions.ingest),
          ticket: metricOf(functions.ticket),
          data: metricOf(functions.data),
        },
        period: fiveMinutes,
      })

    const waiting = failures.metricApproximateNumberOfMessagesVisible({
      period: fiveMinutes,
      statistic: Stats.MAXIMUM,
    })
    const serverErrors = api.metricServerError({ period: fiveMinutes, statistic: Stats.SUM })
    const throttled = all('throttled', of =>
      of.metricThrottles({ period: fiveMinutes, statistic: Stats.SUM }),
    )
    const slowest = functions.ticket.metricDuration({ period: fiveMinutes, statistic: Stats.p(99) })
    const failed = own('ingest', 'IngestsFailed', Stats.SUM)

    this.alarm('FailuresWaiting', {
      what: 'uploads wait that could not be ingested: htsvault admin redrive --list',
      metric: waiting,
      threshold: 1,
    })
    this.alarm('IngestsFail', {
      what: 'ingests fail again and again, for a reason of ours: see the log of the ingest function',
      metric: failed,
      threshold: 3,
    })
    const sum = { period: fiveMinutes, statistic: Stats.SUM }
    this.alarm('LargeIngestsFail', {
      what: 'an ingest of a large file failed: its upload waits with the failed ingests (htsvault admin redrive --list)',
      metric: new MathExpression({
        label: 'failed executions',
        expression: 'failed + timedOut + aborted + notEnded',
        usingMetrics: {
          failed: largeIngest.metricFailed(sum),
          timedOut: largeIngest.metricTimedOut(sum),
          aborted: largeIngest.metricAborted(sum),
          notEnded: stoppedIngests.metricFailed(sum),
        },
        period: fiveMinutes,
      }),
      threshold: 1,
    })
    this.alarm('ServerErrors', {
      what: 'the API answers with 5xx: see the logs of the ticket and data functions',
      metric: serverErrors,
      threshold: 5,
    })
    this.alarm('TicketsSlow', {
      what: 'the slowest hundredth of the tickets is slower than the settings want',
      metric: slowest,
      threshold: settings.alarms.ticketMilliseconds,
      periods: 3,
    })
    this.alarm('Throttled', {
      what: "functions are throttled: the account's limit of concurrent executions, or ingestConcurrency",
      metric: throttled,
      threshold: 1,
      periods: 3,
    })
    this.alarm('DataCost', {
      what: 'more bytes a day leave by the data route than the settings want: they cost money',
      metric: own('data', 'DataBytes', Stats.SUM, Duration.days(1)),
      threshold: settings.alarms.dataGigabytesPerDay * 1e9,
    })

    const graph = (title: string, left: IMetric[], right: IMetric[] = []) =>
      new GraphWidget({ title, left, right, width: 8, height: 6 })
    new Dashboard(this, 'Dashboard', {
      dashboardName: vault,
      periodOverride: PeriodOverride.AUTO,
      widgets: [
        [
          graph('Ingests', [
            own('ingest', 'IngestsServed', Stats.SUM),
            own('ingest', 'IngestsRefused', Stats.SUM),
            failed,
          ]),
          graph(
            'Taken in',
            [own('ingest', 'IngestedBytes', Stats.SUM)],
            [own('ingest', 'IngestSeconds', Stats.p(99))],
          ),
          graph('Failed ingests that wait', [waiting]),
        ],
        [
          graph('Tickets', [own('ticket', 'Tickets', Stats.SUM)], [slowest]),
          graph('Data', [own('data', 'DataBytes', Stats.SUM)], [own('data', 'DataReplies', Stats.SUM)]),
          graph('API', [
            api.metricCount({ period: fiveMinutes }),
            api.metricClientError({ period: fiveMinutes }),
            serverErrors,
          ]),
        ],
        [
          graph('Invocations', [
            all('invocations', of => of.metricInvocations({ period: fiveMinutes, statistic: Stats.SUM })),
          ]),
          graph('Errors', [
            all('errors', of => of.metricErrors({ period: fiveMinutes, statistic: Stats.SUM })),
          ]),
          graph('Throttled', [throttled]),
        ],
      ],
    })
  }

  private topicOf({ alarms }: Settings, key: IKey): ITopic | undefined {
    if (alarms.topicArn !== undefined) return Topic.fromTopicArn(this, 'Topic', alarms.topicArn)
    if (alarms.emails.length === 0) return undefined
    const topic = new Topic(this, 'Topic', { displayName: 'htsvault', enforceSSL: true, masterKey: key })
    const principals = [new ServicePrincipal('cloudwatch.amazonaws.com')]
    const ours = { 'aws:SourceAccount': Stack.of(this).account }
    // A policy of a topic's own takes the place of the one that lets the account's alarms in.
    topic.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: ours },
      }),
    )
    // Without this, alarms go off and nobody is told. By SNS's context it opens messages, never what the buckets hold;
    // "any topic" because the key is there before this one.
    const anyTopic = Stack.of(key).formatArn({
      service: 'sns',
      resource: '*',
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    })
    key.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: {
          StringEquals: ours,
          StringLike: { 'kms:EncryptionContext:aws:sns:topicArn': anyTopic },
        },
      }),
    )
    for (const email of alarms.emails) topic.addSubscription(new EmailSubscription(email))
    return topic
  }

  private alarm(id: string, { what, metric, threshold, periods = 1 }: AlarmProps): void {
    const alarm = new Alarm(this, id, {
      alarmDescription: `htsvault: ${what}`,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    if (this.topic) alarm.addAlarmAction(new SnsAction(this.topic))
  }
}
