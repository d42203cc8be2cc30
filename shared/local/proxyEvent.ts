import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { APIGatewayProxyEvent, Context } from 'aws-lambda'
import type { RouteMatch } from './routes.ts'

/**
 * A request as a REST API of API Gateway gives it to a function: header and query names with all their values, path and
 * path parameters still percent-encoded, a body that is no text in base64.
 */
export function proxyEvent(
  request: IncomingMessage,
  { resource, path, parameters }: RouteMatch,
  query: string,
  body: Buffer,
): APIGatewayProxyEvent {
  const headers = grouped(headerPairs(request.rawHeaders))
  const queries = grouped(new URLSearchParams(query))
  const text = textOf(body)
  const method = request.method ?? 'GET'
  const now = new Date()
  return {
    resource,
    path,
    httpMethod: method,
    headers: lastOf(headers),
    multiValueHeaders: headers,
    queryStringParameters: isEmpty(queries) ? null : lastOf(queries),
    multiValueQueryStringParameters: isEmpty(queries) ? null : queries,
    pathParameters: isEmpty(parameters) ? null : { ...parameters },
    stageVariables: null,
    body: body.length === 0 ? null : (text ?? body.toString('base64')),
    isBase64Encoded: text === undefined,
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      authorizer: undefined,
      ...(request.headers.host !== undefined && { domainName: request.headers.host }),
      httpMethod: method,
      identity: {
        ...noIdentity,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: request.headers['user-agent'] ?? null,
      },
      path,
      protocol: `HTTP/${request.httpVersion}`,
      requestId: randomUUID(),
      requestTime: now.toUTCString(),
      requestTimeEpoch: now.getTime(),
      resourceId: 'local',
      resourcePath: resource,
      stage: 'local',
    },
  }
}

/** In milliseconds; what Lambda gives at most. */
const longestRun = 15 * 60_000

/** Without the ways to end a function that are deprecated. */
export type InvocationContext = Omit<Context, 'done' | 'fail' | 'succeed'>

/** The context of one invocation. */
export function invocationContext(event: APIGatewayProxyEvent): InvocationContext {
  const started = Date.now()
  return {
    awsRequestId: event.requestContext.requestId,
    callbackWaitsForEmptyEventLoop: false,
    functionName: 'local',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:local:000000000000:function:local',
    memoryLimitInMB: '1024',
    logGroupName: 'local',
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, started + longestRun - Date.now()),
  }
}

const noIdentity = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userArn: null,
}

function* headerPairs(raw: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i]!, raw[i + 1]!]
}

function grouped(pairs: Iterable<[string, string]>): Record<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const [name, value] of pairs) groups.set(name, [...(groups.get(name) ?? []), value])
  return Object.fromEntries(groups)
}

const lastOf = (groups: Record<string, string[]>): Record<string, string> =>
  Object.fromEntries(Object.entries(groups).map(([name, values]) => [name, values.at(-1)!]))

const isEmpty = (record: object): boolean => Object.keys(record).length === 0

/** A body as text, or undefined where it is not UTF-8. */
function textOf(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return undefined
  }
}
