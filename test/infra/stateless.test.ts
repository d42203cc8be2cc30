import { describe, expect, test } from '@jest/globals'
import { readIssuers } from '#shared/vault/access/IssuerSettings.ts'
import { at, type Resource, jsonOf, resourcesOf, synthesise } from './synthesise.ts'

const closed = synthesise()
const open = synthesise({ public: true })
const { stateless } = closed

/** `GET /reads/{id+}` and so on, each with its method. */
function routes(template = stateless): Map<string, Resource> {
  const { Resources } = jsonOf(template)
  const pathOf = (ref: { Ref?: string }): string => {
    const resource = ref.Ref === undefined ? undefined : Resources[ref.Ref]
    return resource === undefined
      ? ''
      : `${pathOf(resource.Properties['ParentId'] as { Ref?: string })}/${resource.Properties['PathPart'] as string}`
  }
  return new Map(
    resourcesOf(template, 'AWS::ApiGateway::Method').map(method => [
      `${method.Properties['HttpMethod'] as string} ${pathOf(method.Properties['ResourceId'] as { Ref?: string })}`,
      method,
    ]),
  )
}

const access = (template = stateless) =>
  Object.fromEntries(
    [...routes(template)].map(([route, { Properties }]) => [route, Properties['AuthorizationType']]),
  )

describe('the API', () => {
  test('is private by default', () => {
    expect(access()).toEqual({
      'GET /reads/{id+}': 'AWS_IAM',
      'POST /reads/{id+}': 'AWS_IAM',
      'OPTIONS /reads/{id+}': 'NONE',
      'GET /variants/{id+}': 'AWS_IAM',
      'POST /variants/{id+}': 'AWS_IAM',
      'OPTIONS /variants/{id+}': 'NONE',
      'GET /data/{proxy+}': 'NONE',
      'OPTIONS /data/{proxy+}': 'NONE',
    })
  })

  test('is open where the settings say so', () => {
    expect(new Set(Object.values(access(open.stateless)))).toEqual(new Set(['NONE']))
  })

  test('streams data and buffers tickets', () => {
    for (const [route, { Properties }] of routes()) {
      const {
        ResponseTransferMode: mode,
        Uri,
        TimeoutInMillis,
      } = Properties['Integration'] as Record<string, unknown>
      const streams = route.includes('/data/')
      expect([route, mode]).toEqual([route, streams ? 'STREAM' : undefined])
      expect(JSON.stringify(Uri)).toContain(streams ? '/response-streaming-invocations' : '/invocations')
      if (streams) expect(TimeoutInMillis).toBeGreaterThan(29_000)
    }
  })

  test('has limits on its rate', () => {
    const [stage] = resourcesOf(
      synthesise({ throttling: { requestsPerSecond: 7, burst: 9 } }).stateless,
      'AWS::ApiGateway::Stage',
    )
    expect(stage!.Properties['MethodSettings']).toEqual([
      expect.objectContaining({
        ThrottlingRateLimit: 7,
        ThrottlingBurstLimit: 9,
        HttpMethod: '*',
        ResourcePath: '/*',
      }),
    ])
  })

  test('logs no path, no query, no header and no body', () => {
    const [stage] = resourcesOf(stateless, 'AWS::ApiGateway::Stage')
    const format = at(stage!.Properties, 'AccessLogSetting', 'Format') as string
    expect(format).toContain('$context.requestId')
    expect(format).toContain('$context.resourcePath')
    expect(format).not.toMatch(/\$context\.path|querystring|header|authorizer|body|apiKey|\$input/i)
    expect(stage!.Properties['MethodSettings']).toEqual([
      expect.objectContaining({ LoggingLevel: 'OFF', DataTraceEnabled: false }),
    ])
  })

  test('answers in htsget JSON where API Gateway answers by itself', () => {
    const responses = resourcesOf(stateless, 'AWS::ApiGateway::GatewayResponse')
    expect(responses.length).toBeGreaterThan(5)
    for (const { Properties } of responses) {
      const body = JSON.parse(at(Properties, 'ResponseTemplates', 'application/json') as string) as unknown
      expect(body).toEqual({ htsget: { error: expect.any(String), message: expect.any(String) } })
      expect(at(Properties, 'ResponseParameters', 'gatewayresponse.header.Access-Control-Allow-Origin')).toBe(
        "'*'",
      )
    }
    const types = responses.map(({ Properties }) => Properties['ResponseType'])
    expect(types).toEqual(expect.arrayContaining(['DEFAULT_4XX', 'DEFAULT_5XX']))
  })

  test('takes TLS 1.2 and later alone', () => {
    const [api] = resourcesOf(stateless, 'AWS::ApiGateway::RestApi')
    expect(api!.Properties).toMatchObject({
      SecurityPolicy: expect.stringMatching(/^SecurityPolicy_TLS13_1_2_/),
      EndpointAccessMode: 'STRICT',
    })
  })
})

describe('the functions', () => {
  const functions = resourcesOf(stateless, 'AWS::Lambda::Function')

  test('are five, on Node 24 and arm64', () => {
    expect(functions).toHaveLength(5)
    for (const { Properties } of functions)
      expect(Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
      })
  })

  test.each([
    [
      'ingest',
      [
        'EVENT_BUS',
        'INBOX_BUCKET',
        'KEY_ID',
        'KEY_SECRET_ID',
        'LARGE_FROM_BYTES',
        'LARGE_INGEST',
        'VAULT_BUCKET',
        'VAULT_NAME',
      ],
    ],
    [
      'largeIngest',
      [
        'EVENT_BUS',
        'INBOX_BUCKET',
        'KEY_ID',
        'KEY_SECRET_ID',
        'METRICS_SERVICE',
        'VAULT_BUCKET',
        'VAULT_NAME',
      ],
    ],
    ['ticket', ['ACCESS', 'KEY_ID', 'KEY_SECRET_ID', 'TICKET_URL', 'VAULT_BUCKET', 'VAULT_NAME']],
    ['rekey', ['KEY_ID', 'KEY_SECRET_ID', 'VAULT_BUCKET', 'VAULT_NAME']],
    ['data', ['KEY_ID', 'KEY_SECRET_ID', 'VAULT_BUCKET', 'VAULT_NAME']],
  ])('%s is told where things are, and no secret', (name, variables) => {
    const environments = functions.map(
      f => at(f.Properties, 'Environment', 'Variables') as Record<string, unknown>,
    )
    const environment = environments.find(e => e['POWERTOOLS_SERVICE_NAME'] === name)!
    expect(Object.keys(environment).sort()).toEqual([...variables, 'POWERTOOLS_SERVICE_NAME'].sort())
    // Whatever is not a reference is a name.
    for (const value of Object.values(environment).filter(v => typeof v === 'string'))
      expect([name, 'htsvault-prod', 'iam', 'ingest', '8000000000']).toContain(value)
  })

  test('write logs that end', () => {
    const groups = resourcesOf(stateless, 'AWS::Logs::LogGroup')
    expect(groups).toHaveLength(8)
    for (const { Properties } of groups) expect(Properties['RetentionInDays']).toBe(90)
  })

  test('the ticket function does not wait for the deployment of the API that it serves', () => {
    const ticket = functions.find(
      f => at(f.Properties, 'Environment', 'Variables', 'TICKET_URL') !== undefined,
    )
    expect(JSON.stringify(ticket)).not.toMatch(/Deployment|DeploymentStage/)
  })
})

describe('the ingest', () => {
  test('is started by complete uploads, and not by its own refusals', () => {
    const [rule] = resourcesOf(stateless, 'AWS::Events::Rule')
    expect(rule!.Properties['EventPattern']).toEqual({
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: {
        bucket: { name: [{ 'Fn::ImportValue': expect.stringContaining('Inbox') }] },
        object: { key: [{ 'anything-but': { suffix: '.refused.json' } }] },
      },
    })
  })

  test('loses no event: what EventBridge cannot deliver and what the function cannot do goes to the queue', () => {
    const [rule] = resourcesOf(stateless, 'AWS::Events::Rule')
    expect(at(rule!.Properties, 'Targets', 0, 'DeadLetterConfig', 'Arn', 'Fn::GetAtt', 0)).toMatch(/Failures/)
    const [async] = resourcesOf(stateless, 'AWS::Lambda::EventInvokeConfig')
    expect(at(async!.Properties, 'DestinationConfig', 'OnFailure', 'Destination', 'Fn::GetAtt', 0)).toMatch(
      /Failures/,
    )
    const [queue] = resourcesOf(stateless, 'AWS::SQS::Queue')
    expect(queue!.Properties['MessageRetentionPeriod']).toBe(14 * 24 * 3600)
  })
})

test('nothing in the stateful stack knows of the stateless one', () => {
  expect(JSON.stringify(jsonOf(closed.stateful))).not.toMatch(/ImportValue|stateless/)
})

describe('with tokens of an OIDC issuer', () => {
  const oidc = { issuer: 'https://login.example.org', audience: 'htsvault' }
  const guarded = {
    'GET /reads/{id+}': 'CUSTOM',
    'POST /reads/{id+}': 'CUSTOM',
    'OPTIONS /reads/{id+}': 'NONE',
    'GET /reads/service-info': 'NONE',
    'OPTIONS /reads/service-info': 'NONE',
    'GET /variants/{id+}': 'CUSTOM',
    'POST /variants/{id+}': 'CUSTOM',
    'OPTIONS /variants/{id+}': 'NONE',
    'GET /variants/service-info': 'NONE',
    'OPTIONS /variants/service-info': 'NONE',
    'GET /data/{proxy+}': 'NONE',
    'OPTIONS /data/{proxy+}': 'NONE',
  }
  const byToken = synthesise({ oidc })
  const byUsers = synthesise({ cognito: {} })
  const environmentsOf = (template = byToken.stateless) =>
    Object.fromEntries(
      resourcesOf(template, 'AWS::Lambda::Function').map(({ Properties }) => {
        const variables = at(Properties, 'Environment', 'Variables') as Record<string, unknown>
        return [variables['POWERTOOLS_SERVICE_NAME'] as string, variables]
      }),
    )

  test('nothing is open but what holds no data, and what has a token of its own', () => {
    expect(access(byToken.stateless)).toEqual(guarded)
    expect(access(byUsers.stateless)).toEqual(guarded)
  })

  test('the gate keeps an answer with its token, and may do nothing', () => {
    const [authorizer] = resourcesOf(byToken.stateless, 'AWS::ApiGateway::Authorizer')
    expect(authorizer!.Properties).toMatchObject({
      Type: 'TOKEN',
      IdentitySource: 'method.request.header.Authorization',
      AuthorizerResultTtlInSeconds: 300,
    })
    const pattern = new RegExp(authorizer!.Properties['IdentityValidationExpression'] as string)
    expect(pattern.test('Bearer eyJ.e-_.x')).toBe(true)
    for (const other of ['', 'Bearer ', 'Basic YTpi', 'xBearer a', 'Bearer a b'])
      expect(pattern.test(other)).toBe(false)
    expect(environmentsOf()['authorizer']).toEqual({
      ACCESS: 'oidc',
      OIDC_ISSUERS: JSON.stringify([oidc]),
      POWERTOOLS_SERVICE_NAME: 'authorizer',
    })
  })

  test('both that check tokens are told the same, which they understand', () => {
    const { ticket, authorizer } = environmentsOf()
    expect(ticket!['OIDC_ISSUERS']).toEqual(authorizer!['OIDC_ISSUERS'])
    expect(readIssuers(ticket!['OIDC_ISSUERS'])).toMatchObject([
      { issuer: oidc.issuer, audience: ['htsvault'], algorithms: ['RS256', 'ES256'] },
    ])
  })

  test('of Cognito, access tokens of this client are believed, and no others', () => {
    const joined = environmentsOf(byUsers.stateless)['ticket']!['OIDC_ISSUERS']
    const parts = at(joined, 'Fn::Join', 1) as unknown[]
    const text = parts.map(part => (typeof part === 'string' ? part : 'REF')).join('')
    expect(readIssuers(text)).toMatchObject([
      {
        issuer: 'https://cognito-idp.REF.REF/REF',
        audience: ['REF'],
        audienceClaim: 'client_id',
        groupsClaim: 'cognito:groups',
      },
    ])
  })

  test('the users are kept when the stack is deleted; nobody signs up alone, nor without a second factor', () => {
    const [pool] = resourcesOf(byUsers.stateful, 'AWS::Cognito::UserPool')
    expect(pool).toMatchObject({
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        DeletionProtection: 'ACTIVE',
        MfaConfiguration: 'ON',
        AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      },
    })
    const [client] = resourcesOf(byUsers.stateful, 'AWS::Cognito::UserPoolClient')
    expect(client!.Properties).toMatchObject({
      AllowedOAuthFlows: ['code'],
      GenerateSecret: false,
      PreventUserExistenceErrors: 'ENABLED',
    })
    expect(resourcesOf(byToken.stateful, 'AWS::Cognito::UserPool')).toEqual([])
  })

  test('a 401 says how to sign in', () => {
    const responses = resourcesOf(byToken.stateless, 'AWS::ApiGateway::GatewayResponse')
    const unauthorized = responses.find(r => r.Properties['ResponseType'] === 'UNAUTHORIZED')
    expect(
      at(unauthorized!.Properties, 'ResponseParameters', 'gatewayresponse.header.WWW-Authenticate'),
    ).toBe("'Bearer'")
  })
})
