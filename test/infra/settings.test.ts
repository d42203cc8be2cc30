import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from '@jest/globals'
import { HtsvaultError } from '#shared/errors.ts'
import { readIssuers } from '#shared/vault/access/IssuerSettings.ts'
import { readSettings } from '../../infra/config.ts'
import { HtsVault } from '../../infra/constructs/HtsVault.ts'
import { appWithoutBundling } from './synthesise.ts'

function refusalOf(input: unknown): HtsvaultError {
  try {
    readSettings(input)
  } catch (error) {
    if (error instanceof HtsvaultError) return error
  }
  throw new Error('it was not refused')
}

const oidc = { issuer: 'https://login.example.org/realms/lab', audience: 'htsvault' }

describe('settings', () => {
  test('one way to find out who asks', () => {
    expect(readSettings({ oidc }).access).toBe('oidc')
    expect(readSettings({ cognito: {} }).access).toBe('oidc')
    expect(readSettings({ access: 'iam' }).access).toBe('iam')
  })

  test('what they take of issuers, the functions take too, and the other way round', () => {
    const tries: object[] = [
      oidc,
      { ...oidc, audience: ['a', 'b'] },
      { ...oidc, audienceClaim: 'client_id', groupsClaim: 'cognito:groups' },
      { ...oidc, algorithms: ['EdDSA', 'PS256'], clockSkewSeconds: 120 },
      { ...oidc, clockSkewSeconds: 121 },
      { ...oidc, algorithms: ['none'] },
      { ...oidc, algorithms: [] },
      { ...oidc, audience: [] },
      { ...oidc, audienceClaim: 'azp' },
      { ...oidc, issuer: 'https://user@login.example.org' },
      { ...oidc, issuer: 'https://login.example.org/?x' },
      { ...oidc, groups: 'x' },
    ]
    const takes = (read: () => unknown) => {
      try {
        read()
        return true
      } catch {
        return false
      }
    }
    const here = tries.map(one => takes(() => readSettings({ oidc: one })))
    expect(here).toEqual(tries.map(one => takes(() => readIssuers([one]))))
    expect(here.filter(Boolean)).toHaveLength(4)
  })

  test('none at all make a private vault', () => {
    expect(readSettings()).toMatchObject({ stage: 'prod', access: 'iam', public: false })
  })

  test('come as an object or as its JSON', () => {
    expect(readSettings('{"stage":"dev"}')).toEqual(readSettings({ stage: 'dev' }))
  })

  test('public: true opens the API', () => {
    expect(readSettings({ public: true }).access).toBe('public')
  })

  test.each([
    ['an open API that nobody asked for', { access: 'none' }, /"public": true/],
    ['a contradiction', { public: true, access: 'iam' }, /"access": "iam" and "public": true are opposite/],
    ['tokens and IAM', { oidc, access: 'iam' as const }, /"access": "iam" and "oidc" are opposite/],
    ['tokens for a public vault', { oidc, public: true }, /"oidc" and "public": true are opposite/],
    ['two ways to sign in', { oidc, cognito: {} }, /"oidc" and "cognito" are opposite/],
    [
      'Cognito for a public vault',
      { cognito: {}, public: true },
      /"cognito" and "public": true are opposite/,
    ],
    ['an issuer by plain HTTP', { oidc: { ...oidc, issuer: 'http://idp.example.org' } }, /https:/],
    ['an issuer without an audience', { oidc: { issuer: oidc.issuer } }, /audience/],
    ['no issuer', { oidc: [] }, /oidc/],
    ['one issuer twice', { oidc: [oidc, { ...oidc, audience: 'x' }] }, /twice/],
    ['a shared secret', { oidc: { ...oidc, algorithms: ['HS256'] } }, /RS256/],
    ['unsigned tokens', { oidc: { ...oidc, algorithms: ['none'] } }, /RS256/],
    ['clocks an hour apart', { oidc: { ...oidc, clockSkewSeconds: 3600 } }, /120/],
    ['an answer sent by plain HTTP', { cognito: { callbackUrls: ['http://app.example.org/'] } }, /https:/],
    ['public: "true"', { public: 'true' }, /boolean/],
    ['a name with capitals', { stage: 'Prod' }, /a-z/],
    ['a retention that CloudWatch does not know', { logRetentionDays: 42 }, /logRetentionDays/],
    ['a log that is never deleted', { logRetentionDays: 9999 }, /logRetentionDays/],
    ['a misspelt setting', { throtling: {} }, /throtling/],
    ['a misspelt setting in a group', { memory: { ingst: 512 } }, /ingst/],
    ['more memory than a function can have', { memory: { ingest: 20_480 } }, /10240/],
    ['an origin with a path', { corsOrigins: ['https://igv.org/app'] }, /without a path/],
    ['what is not JSON', '{stage: dev}', /JSON/],
    ['null', null, /object/],
  ])('%s is refused', (_, input, why) => {
    const refusal = refusalOf(input)
    expect(refusal.code).toBe('SETTINGS_INVALID')
    expect(refusal.message).toMatch(why)
    expect(refusal.hint).toMatch(/cdk\.json/)
  })
})

describe('HtsVault in a stack of somebody else', () => {
  test('needs one line, and no feature flag', () => {
    const stack = new Stack(appWithoutBundling(), 'Theirs')
    new HtsVault(stack, 'Vault')
    Template.fromStack(stack).resourceCountIs('AWS::ApiGateway::RestApi', 1)
    Template.fromStack(stack).resourceCountIs('AWS::S3::Bucket', 3)
  })

  test('refuses bad settings', () => {
    const stack = new Stack(appWithoutBundling(), 'Theirs')
    expect(() => new HtsVault(stack, 'Vault', { settings: { access: 'none' } })).toThrow(/"public": true/)
  })

  test('refuses a route that anyone can call, whoever adds it', () => {
    const app = appWithoutBundling()
    const stack = new Stack(app, 'Theirs')
    const { service } = new HtsVault(stack, 'Vault')
    service.api.api.root.addResource('all').addMethod('GET')
    expect(() => app.synth()).toThrow(/GET \/all can be called by anyone: give it an authorizer/)
  })
})
