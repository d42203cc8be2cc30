import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from '@jest/globals'
import { HtsvaultError } from '#shared/errors.ts'
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

describe('settings', () => {
  test('none at all make a private vault', () => {
    expect(readSettings()).toMatchObject({ stage: 'prod', access: 'iam', public: false })
  })

  test('come as an object or as its JSON', () => {
    expect(readSettings('{"stage":"dev"}')).toEqual(readSettings({ stage: 'dev' }))
  })

  test('public: true opens the API', () => {
    expect(readSettings({ public: true }).access).toBe('none')
  })

  test.each([
    ['an open API that nobody asked for', { access: 'none' }, /"public": true/],
    ['a contradiction', { public: true, access: 'iam' }, /opposite/],
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
