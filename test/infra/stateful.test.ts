import { describe, expect, test } from '@jest/globals'
import { workPrefix } from '#shared/vault/large/WorkFolder.ts'
import { at, jsonOf, resourcesOf, synthesise } from './synthesise.ts'

const { stateful } = synthesise()
const buckets = resourcesOf(stateful, 'AWS::S3::Bucket')
const versioned = buckets.filter(b => b.Properties['VersioningConfiguration'] !== undefined)
const [inbox, vault] = versioned

describe('what must survive', () => {
  test.each([
    'AWS::S3::Bucket',
    'AWS::S3::BucketPolicy',
    'AWS::KMS::Key',
    'AWS::SecretsManager::Secret',
    'Custom::HtsvaultKeyPair',
  ])('%s is kept when the stack is deleted', type => {
    const found = resourcesOf(stateful, type)
    expect(found.length).toBeGreaterThan(0)
    for (const r of found) {
      expect(r.DeletionPolicy).toBe('Retain')
      expect(r.UpdateReplacePolicy).toBe('Retain')
    }
  })
})

describe('the buckets', () => {
  test('are the inbox, the vault, and one for access logs', () => {
    expect(buckets).toHaveLength(3)
    expect(versioned).toHaveLength(2)
  })

  test('are closed to the public', () => {
    for (const { Properties } of buckets)
      expect(Properties['PublicAccessBlockConfiguration']).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      })
  })

  test('take nothing but TLS 1.2 and newer', () => {
    const policies = resourcesOf(stateful, 'AWS::S3::BucketPolicy')
    expect(policies).toHaveLength(3)
    for (const policy of policies) {
      const text = JSON.stringify(policy)
      expect(text).toContain('"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"')
      expect(text).toContain('"Condition":{"NumericLessThan":{"s3:TlsVersion":1.2}},"Effect":"Deny"')
    }
  })

  test('of data are encrypted with the KMS key, by bucket keys', () => {
    for (const { Properties } of versioned) {
      const rule = at(Properties, 'BucketEncryption', 'ServerSideEncryptionConfiguration', 0)
      expect(rule).toMatchObject({
        BucketKeyEnabled: true,
        ServerSideEncryptionByDefault: {
          SSEAlgorithm: 'aws:kms',
          KMSMasterKeyID: { 'Fn::GetAtt': [expect.any(String), 'Arn'] },
        },
      })
    }
  })

  test('forget uploads that were never finished, and old versions', () => {
    expect(at(inbox!.Properties, 'LifecycleConfiguration', 'Rules')).toEqual([
      expect.objectContaining({
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
        Status: 'Enabled',
      }),
    ])
    expect(at(vault!.Properties, 'LifecycleConfiguration', 'Rules')).toEqual([
      expect.objectContaining({
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        Status: 'Enabled',
      }),
      expect.objectContaining({ Prefix: workPrefix, ExpirationInDays: 2 }),
    ])
    // Nothing that is served, or waits to be, goes by itself.
    for (const { Properties } of versioned)
      for (const rule of at(Properties, 'LifecycleConfiguration', 'Rules') as object[])
        expect('Prefix' in rule && rule.Prefix === workPrefix).toBe('ExpirationInDays' in rule)
  })

  test('the inbox tells EventBridge, without a function that may change every bucket', () => {
    expect(inbox!.Properties['NotificationConfiguration']).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    })
    expect(resourcesOf(stateful, 'Custom::S3BucketNotifications')).toEqual([])
  })

  test('the vault alone can be read by web pages, by GET and HEAD', () => {
    expect(inbox!.Properties['CorsConfiguration']).toBeUndefined()
    expect(at(vault!.Properties, 'CorsConfiguration', 'CorsRules')).toEqual([
      expect.objectContaining({ AllowedMethods: ['GET', 'HEAD'], AllowedOrigins: ['*'], MaxAge: 2592000 }),
    ])
  })
})

describe('the keys', () => {
  test('the KMS key is rotated', () => {
    expect(resourcesOf(stateful, 'AWS::KMS::Key').map(k => k.Properties['EnableKeyRotation'])).toEqual([true])
  })

  test('the secret is born empty', () => {
    const [secret, ...others] = resourcesOf(stateful, 'AWS::SecretsManager::Secret')
    expect(others).toEqual([])
    expect(Object.keys(secret!.Properties).sort()).toEqual(['Description', 'KmsKeyId'])
  })

  test('of the key pair the outputs name the public half alone', () => {
    const outputs = Object.entries(jsonOf(stateful).Outputs)
    const read = outputs.filter(([, { Value }]) => JSON.stringify(Value).includes('KeyPairMade'))
    expect(read.map(([name]) => name)).toEqual(['FirstPublicKey'])
    expect(read[0]![1].Description).toContain('service-info tells the one in force')
    expect(JSON.stringify(read)).toContain('"PublicKey"]')
    expect(JSON.stringify(jsonOf(stateful))).not.toMatch(/\{\{resolve:secretsmanager/)
  })
})
