import { describe, expect, test } from '@jest/globals'
import { metricUnits } from '#shared/vault/Metrics.ts'
import { at, jsonOf, resourcesOf, synthesise } from './synthesise.ts'

const topicArn = 'arn:aws:sns:eu-central-1:111122223333:on-call'
const plain = synthesise().stateless
const { stateful: fullState, stateless: full } = synthesise({
  alarms: { emails: ['ops@example.org'], dataGigabytesPerDay: 7 },
  firewall: { requestsPerFiveMinutes: 50 },
  domain: {
    name: 'htsget.example.org',
    certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/1-2-3',
    hostedZone: { id: 'Z123', name: 'example.org' },
  },
})

const alarms = (template = plain) => resourcesOf(template, 'AWS::CloudWatch::Alarm').map(a => a.Properties)

describe('alarms', () => {
  test('say what is wrong, and are no alarms where nothing happens', () => {
    expect(alarms()).toHaveLength(7)
    for (const alarm of alarms()) {
      expect(alarm['AlarmDescription']).toMatch(/^htsvault: .{20}/)
      expect(alarm['TreatMissingData']).toBe('notBreaching')
      expect(alarm['AlarmActions']).toBeUndefined()
    }
  })

  test('look at metrics that the functions write, under the dimensions that they write', () => {
    const own = alarms().filter(a => a['Namespace'] === 'htsvault')
    expect(own.length).toBeGreaterThanOrEqual(2)
    for (const { MetricName, Dimensions } of own) {
      expect(Object.keys(metricUnits)).toContain(MetricName)
      expect(Dimensions).toEqual([
        { Name: 'service', Value: MetricName === 'DataBytes' ? 'data' : 'ingest' },
        { Name: 'vault', Value: 'htsvault-prod' },
      ])
    }
  })

  test('go to a topic that is made, or to one that is there', () => {
    const [topic] = resourcesOf(full, 'AWS::SNS::Topic')
    expect(topic).toBeDefined()
    expect(resourcesOf(full, 'AWS::SNS::Subscription').map(s => s.Properties['Endpoint'])).toEqual([
      'ops@example.org',
    ])
    for (const alarm of alarms(full)) expect(alarm['AlarmActions']).toHaveLength(1)
    expect(JSON.stringify(resourcesOf(full, 'AWS::SNS::TopicPolicy'))).toContain(
      '"Principal":{"Service":"cloudwatch.amazonaws.com"}',
    )
    const theirs = synthesise({ alarms: { topicArn } }).stateless
    expect(resourcesOf(theirs, 'AWS::SNS::Topic')).toEqual([])
    for (const alarm of alarms(theirs)) expect(alarm['AlarmActions']).toEqual([topicArn])
  })

  test('wait in the topic under the key of the vault, which opens nothing else for CloudWatch', () => {
    const [topic] = resourcesOf(full, 'AWS::SNS::Topic')
    expect(JSON.stringify(topic!.Properties['KmsMasterKeyId'])).toContain('StateKey')
    const forAlarms = (state: typeof fullState) =>
      resourcesOf(state, 'AWS::KMS::Key')
        .flatMap(key => at(key.Properties, 'KeyPolicy', 'Statement') as Record<string, unknown>[])
        .filter(({ Principal }) => JSON.stringify(Principal) === '{"Service":"cloudwatch.amazonaws.com"}')
    const anyTopic = ['arn:', { Ref: 'AWS::Partition' }, ':sns:', { Ref: 'AWS::Region' }, ':', { Ref: 'AWS::AccountId' }, ':*'] // prettier-ignore
    expect(forAlarms(fullState)).toEqual([
      expect.objectContaining({
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        Condition: {
          StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
          StringLike: { 'kms:EncryptionContext:aws:sns:topicArn': { 'Fn::Join': ['', anyTopic] } },
        },
      }),
    ])
    expect(forAlarms(synthesise({ alarms: { topicArn } }).stateful)).toEqual([])
  })

  test('of cost begin where the settings say', () => {
    const cost = alarms(full).find(a => a['MetricName'] === 'DataBytes')
    expect(cost).toMatchObject({ Threshold: 7e9, Period: 86_400, Statistic: 'Sum' })
  })
})

test('the dashboard shows no metric of ours that nobody writes', () => {
  const [dashboard] = resourcesOf(plain, 'AWS::CloudWatch::Dashboard')
  const text = JSON.stringify(dashboard!.Properties['DashboardBody'])
  const shown = [...text.matchAll(/\[\\+"htsvault\\+",\\+"(\w+)\\+"/g)].map(m => m[1]!)
  expect(new Set(shown)).toEqual(new Set(Object.keys(metricUnits)))
})

describe('traces', () => {
  test('are of the functions, not of the API, whose paths hold tokens', () => {
    for (const { Properties } of resourcesOf(plain, 'AWS::Lambda::Function'))
      expect(Properties['TracingConfig']).toEqual({ Mode: 'Active' })
    expect(resourcesOf(plain, 'AWS::ApiGateway::Stage')[0]!.Properties['TracingEnabled']).toBe(false)
  })
})

describe('a firewall', () => {
  test('is there where the settings want it, and keeps no request', () => {
    expect(resourcesOf(plain, 'AWS::WAFv2::WebACL')).toEqual([])
    const [acl] = resourcesOf(full, 'AWS::WAFv2::WebACL')
    const rules = acl!.Properties['Rules'] as object[]
    expect(at(rules[0], 'Statement', 'RateBasedStatement')).toMatchObject({
      Limit: 50,
      AggregateKeyType: 'IP',
    })
    expect(rules).toHaveLength(4)
    expect(JSON.stringify(acl)).not.toContain('"SampledRequestsEnabled":true')
    expect(resourcesOf(full, 'AWS::WAFv2::WebACLAssociation')).toHaveLength(1)
  })

  test('lets long data tokens, queries and bodies pass', () => {
    const [acl] = resourcesOf(full, 'AWS::WAFv2::WebACL')
    const rules = acl!.Properties['Rules'] as object[]
    const counted = rules.flatMap(
      rule =>
        (at(rule, 'Statement', 'ManagedRuleGroupStatement', 'RuleActionOverrides') ?? []) as {
          Name: string
          ActionToUse: object
        }[],
    )
    expect(counted.map(({ Name }) => Name).sort()).toEqual([
      'SizeRestrictions_BODY',
      'SizeRestrictions_QUERYSTRING',
      'SizeRestrictions_URIPATH',
    ])
    for (const { ActionToUse } of counted) expect(ActionToUse).toEqual({ Count: {} })
  })
})

describe('a domain', () => {
  test('is the only way to the API, and what tickets begin with', () => {
    expect(resourcesOf(plain, 'AWS::ApiGateway::DomainName')).toEqual([])
    expect(resourcesOf(full, 'AWS::ApiGateway::DomainName')[0]!.Properties).toMatchObject({
      DomainName: 'htsget.example.org',
      SecurityPolicy: 'TLS_1_2',
    })
    const [api] = resourcesOf(full, 'AWS::ApiGateway::RestApi')
    expect(api!.Properties['DisableExecuteApiEndpoint']).toBe(true)
    expect(resourcesOf(full, 'AWS::Route53::RecordSet')).toHaveLength(1)
    expect(JSON.stringify(jsonOf(full).Resources)).toContain('"TICKET_URL":"https://htsget.example.org"')
  })

  test('of somebody else’s name server is told what to point at', () => {
    const { stateless } = synthesise({
      domain: {
        name: 'htsget.example.org',
        certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/1-2-3',
      },
    })
    expect(resourcesOf(stateless, 'AWS::Route53::RecordSet')).toEqual([])
    expect(Object.values(jsonOf(stateless).Outputs).map(o => JSON.stringify(o))).toContainEqual(
      expect.stringContaining('RegionalDomainName'),
    )
  })
})

describe('the bus', () => {
  test('takes from the ingest what the vault announces, and nothing else', () => {
    const policies = JSON.stringify(resourcesOf(plain, 'AWS::IAM::Policy'))
    expect(policies).toContain(
      '"Condition":{"StringEquals":{"events:source":"htsvault","events:detail-type":["FileReady","FileRefused"]}}',
    )
    expect(resourcesOf(plain, 'AWS::Events::EventBus').map(b => b.Properties['Name'])).toEqual([
      'htsvault-prod',
    ])
  })
})
