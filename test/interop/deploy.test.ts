import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { EventBridgeClient, ListRulesCommand, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge'
import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import {
  GetFunctionCommand,
  GetFunctionEventInvokeConfigCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda'
import * as s3Commands from '@aws-sdk/client-s3'
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { secretKeyStore } from '#shared/aws/secretKeyStore.ts'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { DeployedVault } from '#test/support/DeployedVault.ts'
import { requireTools, temporaryFolder } from '#test/support/interop.ts'
import { startDeployableMoto } from '#test/support/motoServer.ts'

const root = join(import.meta.dirname, '..', '..')

/** The CDK command, as a person runs it, against AWS services in memory: from nothing to a vault that serves, and back. */
requireTools('python:moto')('cdk bootstrap, deploy and destroy (on moto)', () => {
  const folder = temporaryFolder()
  let moto: Awaited<ReturnType<typeof startDeployableMoto>>
  let s3: s3Commands.S3Client
  let kms: KMSClient
  let secrets: SecretsManagerClient
  let lambda: LambdaClient
  let vault: DeployedVault

  const functionOf = (logical: RegExp) =>
    lambda.send(new GetFunctionCommand({ FunctionName: vault.the('AWS::Lambda::Function', logical) }))

  beforeAll(async () => {
    moto = await startDeployableMoto()
    s3 = new s3Commands.S3Client({ ...moto.settings, forcePathStyle: true })
    kms = new KMSClient(moto.settings)
    secrets = new SecretsManagerClient(moto.settings)
    lambda = new LambdaClient(moto.settings)
    vault = new DeployedVault(moto, folder)
    await vault.deploy()
  }, 300_000)
  afterAll(async () => {
    for (const client of [s3, kms, secrets, lambda]) client.destroy()
    await moto.stop()
  })

  test('every resource of the templates is made, in both stacks', async () => {
    const { stateful, stateless } = vault
    for (const name of [stateful, stateless]) {
      const template = JSON.parse(await readFile(join(folder, `${name}.template.json`), 'utf8')) as {
        Resources: Record<string, unknown>
      }
      const { StackStatus, EnableTerminationProtection } = await vault.stack(name)
      expect([StackStatus, EnableTerminationProtection]).toEqual(['CREATE_COMPLETE', name === stateful])
      const logical = vault.made.map(each => each.logical)
      expect(Object.keys(template.Resources).filter(each => !logical.includes(each))).toEqual([])
    }
    expect(Object.keys(vault.outputs)).toEqual(
      expect.arrayContaining(['Inbox', 'Vault', 'FirstPublicKey', 'Endpoint', 'EventBus', 'FailedIngests']),
    )
    for (const value of Object.values(vault.outputs)) expect(value).not.toContain('object at 0x')
  })

  test('the buckets are versioned, encrypted, closed, and cleaned up', async () => {
    for (const name of ['Inbox', 'Vault']) {
      const at = { Bucket: vault.outputs[name]! }
      expect(await s3.send(new s3Commands.GetBucketVersioningCommand(at))).toMatchObject({
        Status: 'Enabled',
      })
      const { ServerSideEncryptionConfiguration } = await s3.send(
        new s3Commands.GetBucketEncryptionCommand(at),
      )
      expect(ServerSideEncryptionConfiguration!.Rules).toMatchObject([
        {
          BucketKeyEnabled: true,
          ApplyServerSideEncryptionByDefault: {
            SSEAlgorithm: 'aws:kms',
            KMSMasterKeyID: expect.stringMatching(/^arn:aws:kms:.*:key\//) as unknown,
          },
        },
      ])
      const { PublicAccessBlockConfiguration } = await s3.send(new s3Commands.GetPublicAccessBlockCommand(at))
      expect(Object.values(PublicAccessBlockConfiguration!)).toEqual([true, true, true, true])
      const { OwnershipControls } = await s3.send(new s3Commands.GetBucketOwnershipControlsCommand(at))
      expect(OwnershipControls!.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }])
      const { Rules } = await s3.send(new s3Commands.GetBucketLifecycleConfigurationCommand(at))
      expect(Rules![0]).toMatchObject({
        Status: 'Enabled',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: name === 'Inbox' ? 7 : 1 },
        NoncurrentVersionExpiration: { NoncurrentDays: name === 'Inbox' ? 1 : 30 },
      })
      const { Policy } = await s3.send(new s3Commands.GetBucketPolicyCommand(at))
      expect((JSON.parse(Policy!) as { Statement: unknown[] }).Statement).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      )
    }
    const { CORSRules } = await s3.send(
      new s3Commands.GetBucketCorsCommand({ Bucket: vault.outputs['Vault']! }),
    )
    expect(CORSRules).toMatchObject([{ AllowedMethods: ['GET', 'HEAD'] }])
  })

  test('the key rotates; the key pair was made by its function, into the secret, and told to nobody', async () => {
    const keyId = vault.the('AWS::KMS::Key', /^StateKey/)
    expect(await kms.send(new GetKeyRotationStatusCommand({ KeyId: keyId }))).toMatchObject({
      KeyRotationEnabled: true,
    })
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/htsvault-smoke' }))
    expect(KeyMetadata!.KeyId).toBe(keyId)
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId: keyId, PolicyName: 'default' }))
    expect(Policy).toContain('arn:aws:iam::123456789012:root')
    const secretId = vault.the('AWS::SecretsManager::Secret', /KeyPairSecret/)
    const { KmsKeyId } = await secrets.send(new DescribeSecretCommand({ SecretId: secretId }))
    expect(KmsKeyId).toBe(KeyMetadata!.Arn)
    const place = { secrets, kms, secretId, keyId: KeyMetadata!.Arn!, stack: 'htsvault-smoke' }
    const { publicKey, secretKey } = await secretKeyStore(place).keyPair()
    expect(Buffer.from(publicKey).equals(readPublicKey(vault.outputs['FirstPublicKey']!))).toBe(true)
    expect(moto.log()).toContain('[provider-framework] onEvent returned')
    for (const encoding of ['base64', 'hex'] as const)
      expect(moto.log()).not.toContain(Buffer.from(secretKey).toString(encoding))
  })

  test('the functions have their bundles, their roles and what they are told', async () => {
    const roles = vault.made.filter(each => each.type === 'AWS::IAM::Role').map(each => each.physical)
    const names = ['Ingest', 'LargeIngest', 'Ticket', 'Data', 'Rekey', 'KeyPair']
    for (const name of names) {
      const { Configuration } = await functionOf(new RegExp(`(Service|State)${name}Function`))
      const { CodeSize = 0, Runtime, Role, Environment } = Configuration!
      expect([name, Runtime, CodeSize > 50_000 && CodeSize < 1_000_000]).toEqual([name, 'nodejs24.x', true])
      expect(roles).toContain(Role!.split('/').at(-1))
      expect(Environment!.Variables).toMatchObject({ VAULT_NAME: 'htsvault-smoke' })
    }
    const { Configuration } = await functionOf(/ServiceIngestFunction/)
    expect(Configuration!.Environment!.Variables).toMatchObject({
      INBOX_BUCKET: vault.outputs['Inbox'],
      VAULT_BUCKET: vault.outputs['Vault'],
      EVENT_BUS: vault.outputs['EventBus'],
      LARGE_INGEST: vault.the('AWS::StepFunctions::StateMachine', /LargeIngestStateMachine/),
    })
  })

  test('an upload starts the ingest, and what fails ends in the queue', async () => {
    const events = new EventBridgeClient(moto.settings)
    const { Rules } = await events.send(new ListRulesCommand({}))
    const rule = Rules!.find(each => each.EventPattern?.includes(vault.outputs['Inbox']!))!
    const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: rule.Name! }))
    const sqs = new SQSClient(moto.settings)
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: vault.outputs['FailedIngests']!, AttributeNames: ['All'] }),
    )
    const { Configuration } = await functionOf(/ServiceIngestFunction/)
    expect(Targets).toMatchObject([
      { Arn: Configuration!.FunctionArn, DeadLetterConfig: { Arn: Attributes!['QueueArn'] } },
    ])
    expect(Attributes!['Policy']).toContain('aws:SecureTransport')
    const onFailure = await lambda.send(
      new GetFunctionEventInvokeConfigCommand({ FunctionName: Configuration!.FunctionName! }),
    )
    expect(onFailure).toMatchObject({
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: Attributes!['QueueArn'] } },
    })
    for (const client of [events, sqs]) client.destroy()
  })

  test('the state machine calls the function for large files', async () => {
    const sfn = new SFNClient(moto.settings)
    const { definition } = await sfn.send(
      new DescribeStateMachineCommand({
        stateMachineArn: vault.the('AWS::StepFunctions::StateMachine', /LargeIngestStateMachine/),
      }),
    )
    const { Configuration } = await functionOf(/ServiceLargeIngestFunction/)
    const { StartAt, States } = JSON.parse(definition!) as {
      StartAt: string
      States: Record<string, { Resource?: string }>
    }
    expect(States[StartAt]!.Resource).toBe(Configuration!.FunctionArn)
    sfn.destroy()
  })

  test('the API has its routes, each with its function, and only those open that are to be', async () => {
    const api = /^https:\/\/(\w+)\.execute-api\.[\w-]+\.amazonaws\.com\/smoke$/.exec(
      vault.outputs['Endpoint']!,
    )![1]!
    const get = async (path: string) => {
      const authorization = `AWS4-HMAC-SHA256 Credential=x/20260101/eu-central-1/apigateway/aws4_request`
      const reply = await fetch(`${moto.url}/restapis/${api}/${path}`, { headers: { authorization } })
      expect(reply.status).toBe(200)
      return (await reply.json()) as unknown
    }
    const { item } = (await get('resources?embed=methods')) as {
      item: {
        path: string
        resourceMethods?: Record<string, { authorizationType: string; methodIntegration: { uri: string } }>
      }[]
    }
    const routes = item.flatMap(({ path, resourceMethods = {} }) =>
      Object.entries(resourceMethods).map(([method, { authorizationType, methodIntegration }]) => {
        const [, called] = /function:htsvault-smoke-stateless-Service(Ticket|Data)/.exec(
          methodIntegration.uri,
        )!
        return `${method} ${path} ${authorizationType} ${called}`
      }),
    )
    expect(routes.sort()).toEqual([
      'GET /data/{proxy+} NONE Data',
      'GET /reads/{id+} AWS_IAM Ticket',
      'GET /variants/{id+} AWS_IAM Ticket',
      'OPTIONS /data/{proxy+} NONE Data',
      'OPTIONS /reads/{id+} NONE Ticket',
      'OPTIONS /variants/{id+} NONE Ticket',
      'POST /reads/{id+} AWS_IAM Ticket',
      'POST /variants/{id+} AWS_IAM Ticket',
    ])
    expect(await get('stages/smoke')).toMatchObject({
      methodSettings: {
        '*/*': { throttlingRateLimit: 100, throttlingBurstLimit: 200, dataTraceEnabled: false },
      },
    })
    expect(await get('gatewayresponses/UNAUTHORIZED')).toMatchObject({ statusCode: '401' })
  })

  test('a file that is put into the inbox is served', async () => {
    const Body = await readFile(join(root, 'demo', 'child.bam'))
    await s3.send(
      new s3Commands.PutObjectCommand({ Bucket: vault.outputs['Inbox']!, Key: 'demo/x.bam', Body }),
    )
    const keysOf = async (name: string) => {
      const { Contents = [] } = await s3.send(
        new s3Commands.ListObjectsV2Command({ Bucket: vault.outputs[name]! }),
      )
      return Contents.map(({ Key }) => Key)
    }
    for (let tries = 0; (await keysOf('Inbox')).length > 0; tries++) {
      if (tries === 300) throw new Error(`the upload was not taken in: ${moto.log().slice(-4000)}`)
      await setTimeout(100)
    }
    expect(await keysOf('Vault')).toContain('demo/x.bam.manifest.json')
    const event = await readFile(join(root, 'events', 'reads-get.valid.json'))
    const { Configuration } = await functionOf(/ServiceTicketFunction/)
    const { Payload } = await lambda.send(
      new InvokeCommand({ FunctionName: Configuration!.FunctionName!, Payload: event }),
    )
    const reply = JSON.parse(Buffer.from(Payload!).toString()) as { statusCode: number; body: string }
    expect(reply.statusCode).toBe(200)
    const { urls } = (JSON.parse(reply.body) as { htsget: { urls: { url: string }[] } }).htsget
    expect(urls.filter(({ url }) => url.startsWith(`${vault.outputs['Endpoint']!}/data/`))).not.toEqual([])
  })

  test('a second deployment changes nothing', async () => {
    const said = await vault.succeed('deploy', '--all', '--require-approval=never', '--app', folder)
    expect(said.match(/\(no changes\)/g)).toHaveLength(2)
  })

  test('the stateful stack is not destroyed unasked; when it is, the buckets, the key and the secret stay', async () => {
    const { stateful, stateless } = vault
    await vault.succeed('destroy', stateless, '--force', '--app', folder)
    await expect(vault.stack(stateless)).rejects.toThrow('does not exist')
    await expect(functionOf(/ServiceIngestFunction/)).rejects.toThrow()

    const { code, said } = await vault.cdk('destroy', stateful, '--force', '--app', folder)
    expect(code).not.toBe(0)
    expect(said).toContain('TerminationProtection')
    await vault.unprotect(stateful)
    await vault.succeed('destroy', stateful, '--force', '--app', folder)
    await expect(vault.stack(stateful)).rejects.toThrow('does not exist')
    await expect(functionOf(/KeyPairFunction/)).rejects.toThrow()
    for (const name of ['Inbox', 'Vault']) {
      const { Policy } = await s3.send(
        new s3Commands.GetBucketPolicyCommand({ Bucket: vault.outputs[name]! }),
      )
      expect(Policy).toContain('aws:SecureTransport')
    }
    const { KeyMetadata } = await kms.send(
      new DescribeKeyCommand({ KeyId: vault.the('AWS::KMS::Key', /^StateKey/) }),
    )
    expect(KeyMetadata!.KeyState).toBe('Enabled')
    const place = {
      secrets,
      kms,
      secretId: vault.the('AWS::SecretsManager::Secret', /KeyPairSecret/),
      keyId: KeyMetadata!.Arn!,
      stack: 'htsvault-smoke',
    }
    const { publicKey } = await secretKeyStore(place).keyPair()
    expect(Buffer.from(publicKey).equals(readPublicKey(vault.outputs['FirstPublicKey']!))).toBe(true)
  })
})
