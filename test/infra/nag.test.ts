import { Stack } from 'aws-cdk-lib'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, test } from '@jest/globals'
import { synthesise } from './synthesise.ts'

function findings(app: ReturnType<typeof synthesise>['app']): string[] {
  app.synth({ force: true })
  return new AwsSolutionsChecks(app)
    .validateScope(app)
    .violations.flatMap(v => v.violatingResources.map(r => `${v.ruleName} ${r.constructPath ?? ''}`))
}

describe('cdk-nag has no finding that is not answered', () => {
  test('with the default settings', () => expect(findings(synthesise().app)).toEqual([]))

  test('in a known account and region', () =>
    expect(findings(synthesise({}, { account: '111122223333', region: 'eu-central-1' }).app)).toEqual([]))

  test('with an alarm topic, a domain and a firewall', () => {
    const settings = {
      alarms: { emails: ['ops@example.org'] },
      firewall: {},
      domain: {
        name: 'htsget.example.org',
        certificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/1-2-3',
        hostedZone: { id: 'Z123', name: 'example.org' },
      },
    }
    expect(findings(synthesise(settings).app)).toEqual([])
  })

  test('with tokens of an issuer, and with a user pool', () => {
    const oidc = { issuer: 'https://login.example.org', audience: 'htsvault' }
    expect(findings(synthesise({ oidc }).app)).toEqual([])
    expect(findings(synthesise({ cognito: {} }).app)).toEqual([])
  })

  test('with a public API', () => expect(findings(synthesise({ public: true }).app)).toEqual([]))

  test('and finds what is wrong where something is', () => {
    const { app } = synthesise()
    new Bucket(new Stack(app, 'careless'), 'Open')
    expect(findings(app).join()).toMatch(/AwsSolutions-S1 careless.*AwsSolutions-S10 careless/)
  })
})
