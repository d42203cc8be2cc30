import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { PolicyStatement, ServicePrincipal, Role } from 'aws-cdk-lib/aws-iam'
import { describe, expect, test } from '@jest/globals'
import { keyPairPurpose as purposeOfFunctions } from '#shared/aws/keyPairSecret.ts'
import { keyPairPurpose } from '../../infra/constructs/permissions.ts'
import { allowed, type Statement } from './allowed.ts'
import { appWithoutBundling, synthesise } from './synthesise.ts'

/** The wildcards of a statement: `action`, or `resource` with the references in it written as JSON. */
function wildcards({ Action, Resource, Principal }: Statement): string[] {
  const texts = (value: unknown) => [value].flat().map(v => (typeof v === 'string' ? v : JSON.stringify(v)))
  return [
    ...texts(Action).map(a => `action ${a}`),
    ...(Resource === undefined ? [] : texts(Resource).map(r => `resource ${r}`)),
    ...(Principal === undefined ? [] : [`principal ${JSON.stringify(Principal)}`]),
  ].filter(text => text.includes('*'))
}

const anyBody = /Vault.*\/\*\.(bam|cram|vcf\.gz|bcf)(\.g\?{8})?(\.c4gh)?"\]\]\}$/

/** Every wildcard that is allowed anywhere, and why. A wildcard that is not here fails; so does a reason without one. */
const reasons: readonly (readonly [owner: RegExp, wildcard: RegExp, why: string])[] = [
  [/^StateKey[0-9A-F]{8}$/, /^action kms:\*$/, 'The account may manage its key; without it nobody could.'],
  [/^StateKey[0-9A-F]{8}$/, /^resource \*$/, 'In the policy of a key, * is the key.'],
  [/KeyPairFramework/, /:\*"\]\]\}$/, 'The framework calls one function, in whatever version.'],
  [
    /AccessLogsPolicy/,
    /(inbox|vault)\/\*"\]\]\}$/,
    'S3 writes the access logs, each bucket below its own prefix.',
  ],
  [/FunctionLogRole/, /^resource \*$/, 'Traces belong to no resource: X-Ray takes them for the account.'],
  [/Service(Large)?Ingest/, /Inbox.*\/\*"\]\]\}$/, 'Takes any upload: the keys are named by the users.'],
  [
    /Service(Large)?Ingest/,
    /Inbox.*\/\*\.refused\.json"\]\]\}$/,
    'Says beside any upload why it was refused.',
  ],
  [
    /Service(Large)?Ingest/,
    /Vault.*\/\*"\]\]\}$/,
    'Writes the objects of any file: the keys are named by the users.',
  ],
  [/ServiceIngest/, /:execution:.*:\*"\]\]\}$/, 'Asks whether an execution of any name is still running.'],
  [/LargeIngest(Stopped)?Role/, /FunctionHandler.*:\*"\]\]\}$/, 'Calls one function, in whatever version.'],
  [/LargeIngest(Stopped)?Role/, /^resource \*$/, 'Traces and the delivery of logs belong to no resource.'],
  [/DistributedMapPolicy/, /:execution:.*:\*"\]\]\}$/, 'The map watches the executions that it starts.'],
  [
    /ServiceTicket/,
    /Vault.*\/\*(\.manifest\.json|\/dataset\.json|\.blockmap(\.c4gh)?)"\]\]\}$/,
    'Reads the manifest and the block map of any file, and the settings of any dataset.',
  ],
  [
    /ServiceTicket/,
    /Vault.*\/_htsvault\/keys\/\*\.json"\]\]\}$/,
    'Reads the registered keys of any subject.',
  ],
  [/ServiceTicket/, anyBody, 'Presigns the body of any file: a presigned URL can do what its signer may.'],
  [
    /ServiceData/,
    /Vault.*\/\*\.(manifest\.json|blockmap(\.c4gh)?)"\]\]\}$/,
    'Reads the manifest of any file, and the header in its block map.',
  ],
  [
    /ServiceRekey/,
    /Vault.*\/\*(\.manifest\.json|\/dataset\.json)"\]\]\}$/,
    'Re-keys the manifest of any file, for the recipients of its dataset.',
  ],
  [/ServiceData/, anyBody, 'Reads the body of any file.'],
]

function unexplained(template: Template, used = new Set<number>()): string[] {
  return allowed(template).flatMap(({ owner, statement }) =>
    wildcards(statement)
      .filter(wildcard => {
        const reason = reasons.findIndex(([who, what]) => who.test(owner) && what.test(wildcard))
        if (reason !== -1) used.add(reason)
        return reason === -1
      })
      .map(wildcard => `${owner}: ${wildcard}`),
  )
}

const { stateful, stateless } = synthesise()

describe('wildcards', () => {
  test('each has a reason, and each reason a wildcard', () => {
    const used = new Set<number>()
    expect([...unexplained(stateful, used), ...unexplained(stateless, used)]).toEqual([])
    expect(reasons.filter((_, i) => !used.has(i)).map(([, , why]) => why)).toEqual([])
  })

  test('one that nobody wrote a reason for is found', () => {
    const stack = new Stack(appWithoutBundling(), 'Careless')
    const role = new Role(stack, 'ServiceTicket', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    role.addToPolicy(new PolicyStatement({ actions: ['s3:Get*'], resources: ['arn:aws:s3:::one/key'] }))
    new Bucket(stack, 'Other').grantRead(role)
    const found = unexplained(Template.fromStack(stack)).map(text => text.replace(/^.*?: (\w+) .*/, '$1'))
    expect(new Set(found)).toEqual(new Set(['action', 'resource']))
  })
})

/** What a function may do: action -> what the resource's name shows, without the log. */
function mayOf(role: RegExp, template = stateless): Record<string, string[]> {
  const may: Record<string, Set<string>> = {}
  for (const { owner, statement } of allowed(template))
    if (role.test(owner))
      for (const action of [statement.Action].flat())
        for (const resource of [statement.Resource].flat()) {
          const text = JSON.stringify(resource)
          const what = [
            'Inbox',
            'Vault2',
            'AccessLogs',
            'KeyPairSecret',
            'Failures',
            'StateKey',
            'ServiceBus',
            'LargeIngestStateMachine',
            'LargeIngestStoppedStateMachine',
            'LargeIngestFunction',
          ].find(n => text.includes(n))
          const ending = /\/\*[^"]*/.exec(text)?.[0] ?? ''
          if (/^(logs|xray):/.test(action)) continue
          ;(may[action] ??= new Set()).add(`${what ?? text}${ending}`)
        }
  return Object.fromEntries(Object.entries(may).map(([action, on]) => [action, [...on].sort()]))
}

describe('least privilege', () => {
  const bodies = ['bam', 'bcf', 'cram', 'vcf.gz'].flatMap(format =>
    ['', '.c4gh', '.g????????', '.g????????.c4gh'].map(form => `Vault2/*.${format}${form}`),
  )
  const reading = {
    's3:ListBucket': ['Vault2'],
    'kms:Decrypt': ['StateKey'],
    'secretsmanager:GetSecretValue': ['KeyPairSecret'],
  }

  test('ticket reads the vault, all but the indexes', () => {
    const also = [
      'Vault2/*.blockmap',
      'Vault2/*.blockmap.c4gh',
      'Vault2/*.json', // of _htsvault/keys
      'Vault2/*.manifest.json',
      'Vault2/*/dataset.json',
    ]
    expect(mayOf(/ServiceTicket.*Policy/)).toEqual({
      ...reading,
      's3:GetObject': [...bodies, ...also].sort(),
    })
  })

  test('data reads manifests, block maps and bodies', () => {
    const maps = ['Vault2/*.blockmap', 'Vault2/*.blockmap.c4gh']
    const keys = [...bodies, ...maps, 'Vault2/*.manifest.json'].sort()
    expect(mayOf(/ServiceData.*Policy/)).toEqual({ ...reading, 's3:GetObject': keys })
  })

  const ingesting = {
    's3:GetObject': ['Inbox/*', 'Vault2/*'],
    's3:DeleteObject': ['Inbox/*', 'Vault2/*'],
    's3:PutObject': ['Inbox/*.refused.json', 'Vault2/*'],
    's3:AbortMultipartUpload': ['Vault2/*'],
    's3:ListBucket': ['Inbox', 'Vault2'],
    'kms:Decrypt': ['StateKey'],
    'kms:GenerateDataKey': ['StateKey'],
    'secretsmanager:GetSecretValue': ['KeyPairSecret'],
    'events:PutEvents': ['ServiceBus'],
  }

  test('ingest takes from the inbox and writes the vault', () => {
    expect(mayOf(/ServiceIngest.*Policy/)).toEqual({
      ...ingesting,
      'sqs:SendMessage': ['Failures'],
      'sqs:GetQueueAttributes': ['Failures'],
      'sqs:GetQueueUrl': ['Failures'],
      'states:StartExecution': ['LargeIngestStateMachine'],
      'states:DescribeExecution': ['LargeIngestStateMachine'],
    })
  })

  test('so does the ingest of large files, which lists the parts that there are', () => {
    expect(mayOf(/ServiceLargeIngestFunction.*Policy/)).toEqual({
      ...ingesting,
      's3:ListMultipartUploadParts': ['Vault2/*'],
    })
  })

  test('the state machine calls its function, starts its own children, and says what failed', () => {
    expect(mayOf(/ServiceLargeIngest(Role|StateMachine).*Policy/)).toEqual({
      'lambda:InvokeFunction': ['LargeIngestFunction'],
      'sqs:SendMessage': ['Failures'],
      'states:StartExecution': ['LargeIngestStateMachine'],
      'states:DescribeExecution': ['LargeIngestStateMachine'],
      'states:StopExecution': ['LargeIngestStateMachine'],
      'states:RedriveExecution': ['LargeIngestStateMachine/*:*'],
    })
  })

  test('what ends stopped ingests calls the function and says what failed; its rule starts it', () => {
    expect(mayOf(/ServiceLargeIngestStoppedRole.*Policy/)).toEqual({
      'lambda:InvokeFunction': ['LargeIngestFunction'],
      'sqs:SendMessage': ['Failures'],
    })
    expect(mayOf(/ServiceLargeIngestStoppedStateMachine.*Policy/)).toEqual({
      'states:StartExecution': ['LargeIngestStoppedStateMachine'],
    })
  })

  test('rekey reads and writes manifests, and rotates the secret', () => {
    expect(mayOf(/ServiceRekey.*Policy/)).toEqual({
      's3:GetObject': ['Vault2/*.manifest.json', 'Vault2/*/dataset.json'],
      's3:PutObject': ['Vault2/*.manifest.json'],
      's3:ListBucket': ['Vault2'],
      'secretsmanager:GetSecretValue': ['KeyPairSecret'],
      'secretsmanager:PutSecretValue': ['KeyPairSecret'],
      'kms:Decrypt': ['StateKey'],
      'kms:Encrypt': ['StateKey'],
      'kms:GenerateDataKey': ['StateKey'],
    })
  })

  test('keypair and rekey alone write the secret', () => {
    expect(mayOf(/KeyPairFunction.*Policy/, stateful)).toEqual({
      'secretsmanager:GetSecretValue': ['KeyPairSecret'],
      'secretsmanager:PutSecretValue': ['KeyPairSecret'],
      'kms:Decrypt': ['StateKey'],
      'kms:Encrypt': ['StateKey'],
      'kms:GenerateDataKey': ['StateKey'],
    })
  })

  test('a role uses the KMS key under a condition only: through a service, or for the key pair of this vault', () => {
    const statements = [...allowed(stateful), ...allowed(stateless)].filter(
      ({ owner, statement }) => owner.includes('Role') && JSON.stringify(statement.Action).includes('kms:'),
    )
    expect(statements.length).toBeGreaterThanOrEqual(11)
    for (const { statement } of statements) {
      const equal = statement.Condition?.['StringEquals'] ?? {}
      const forKeyPair =
        equal['kms:EncryptionContext:stack'] === 'htsvault-prod' &&
        equal['kms:EncryptionContext:purpose'] === keyPairPurpose
      expect('kms:ViaService' in equal || forKeyPair).toBe(true)
    }
  })

  test('the purpose in the policies is the one that the functions wrap with', () => {
    expect(keyPairPurpose).toBe(purposeOfFunctions)
  })
})
