import { Stack } from 'aws-cdk-lib'
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointAccessMode,
  EndpointType,
  type IAuthorizer,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseTransferMode,
  RestApi,
  SecurityPolicy,
  type CfnRestApi,
} from 'aws-cdk-lib/aws-apigateway'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { addDomain } from './apiDomain.ts'
import { streamingTimeout } from './DataFunction.ts'
import { explain } from './explain.ts'
import { addHtsgetErrors } from './htsgetErrors.ts'
import { openMethods } from './openMethods.ts'

export interface HtsgetApiProps {
  readonly settings: Settings
}

interface ServeProps {
  readonly ticket: IFunction
  readonly data: IFunction
  /** Who checks tokens, where these decide who may ask. */
  readonly authorizer: IAuthorizer | undefined
}

/** The routes of a ticket: `/reads/{id+}` and `/variants/{id+}`; `service-info` is an id that the function reserves. */
const datatypes = ['reads', 'variants'] as const

/**
 * What the access log says of a request. The route, never the path: a path holds a file's name, or a data token; and
 * neither query nor headers.
 */
const accessLog = {
  requestId: '$context.requestId',
  time: '$context.requestTimeEpoch',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  bytes: '$context.responseLength',
  milliseconds: '$context.responseLatency',
  caller: '$context.identity.userArn',
  error: '$context.error.responseType',
}

/** The htsget API: who may ask is decided here for tickets, and by the ticket's own token for data. */
export class HtsgetApi extends Construct {
  readonly api: RestApi
  /** Without a slash at the end. */
  readonly url: string
  private readonly settings: Settings

  constructor(scope: Construct, id: string, { settings }: HtsgetApiProps) {
    super(scope, id)
    this.settings = settings
    const logs = new LogGroup(this, 'AccessLog', { retention: settings.logRetentionDays })
    this.api = new RestApi(this, 'Rest', {
      restApiName: `htsvault-${settings.stage}`,
      description: 'htsvault: htsget tickets and data',
      endpointTypes: [EndpointType.REGIONAL],
      // With a name of its own nobody goes past what stands before that.
      disableExecuteApiEndpoint: settings.domain !== undefined,
      cloudWatchRole: settings.apiLogRole,
      deployOptions: {
        stageName: settings.stage,
        throttlingRateLimit: settings.throttling.requestsPerSecond,
        throttlingBurstLimit: settings.throttling.burst,
        metricsEnabled: true,
        accessLogDestination: new LogGroupLogDestination(logs),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLog)),
        loggingLevel: MethodLoggingLevel.OFF,
        dataTraceEnabled: false,
        // A trace of API Gateway holds the path, which for data is a token; the functions are traced.
        tracingEnabled: false,
      },
    })
    addHtsgetErrors(this.api)
    // htsget §Security: TLS 1.2 or later. Without a policy API Gateway takes 1.0 too.
    const rest = this.api.node.defaultChild as CfnRestApi
    rest.securityPolicy = SecurityPolicy.TLS13_1_2_PQ_2025_09
    rest.endpointAccessMode = EndpointAccessMode.STRICT

    // Not `api.url`: that waits for the deployment, which waits for the function that needs to know the URL.
    const { region, urlSuffix } = Stack.of(this)
    this.url = settings.domain
      ? `https://${settings.domain.name}`
      : `https://${this.api.restApiId}.execute-api.${region}.${urlSuffix}/${settings.stage}`
    if (settings.domain) addDomain(this.api, settings.domain)

    explain(this.api, {
      'AwsSolutions-APIG2': 'The function checks requests: htsget has errors of its own, in JSON of its own.',
      ...(!settings.firewall && {
        'AwsSolutions-APIG3': 'A web firewall has a price; "firewall" in the settings makes one.',
      }),
      'AwsSolutions-APIG6':
        'Execution logs hold paths, and the path of a data URL is its token. The access log is on.',
      [`AwsSolutions-IAM4[Policy::${logPolicy}]`]:
        'The role by which API Gateway writes logs: the policy is the one that AWS made for it.',
    })
    this.api.node.addValidation({ validate: () => (settings.public ? [] : openMethods(this.api)) })
  }

  /** Adds the routes. */
  serve({ ticket, data, authorizer }: ServeProps): void {
    const tickets = new LambdaIntegration(ticket, { allowTestInvoke: false })
    for (const datatype of datatypes) {
      const tree = this.api.root.addResource(datatype)
      const route = tree.addResource('{id+}')
      for (const verb of ['GET', 'POST']) {
        const method = route.addMethod(verb, tickets, {
          authorizationType: authorization[this.settings.access],
          ...(authorizer && { authorizer }),
        })
        explain(method, {
          'AwsSolutions-COG4':
            'IAM or a function of ours decides who may ask, of any OIDC issuer; with "public": true in the settings, nobody needs to.',
          ...(this.settings.public && { 'AwsSolutions-APIG4': 'The settings say "public": true.' }),
        })
      }
      explain(route.addMethod('OPTIONS', tickets, open), preflight)
      if (authorizer) {
        const info = tree.addResource('service-info')
        explain(info.addMethod('GET', tickets, open), {
          'AwsSolutions-APIG4': aboutService,
          'AwsSolutions-COG4': aboutService,
        })
        explain(info.addMethod('OPTIONS', tickets, open), preflight)
      }
    }

    const streaming = new LambdaIntegration(data, {
      allowTestInvoke: false,
      responseTransferMode: ResponseTransferMode.STREAM,
      timeout: streamingTimeout,
    })
    const pieces = this.api.root.addResource('data').addResource('{proxy+}')
    const byToken =
      'The path is a signed token that is good for minutes, for these bytes of this file, and the function checks it first. htsget clients send no credentials to the URLs of a ticket.'
    explain(pieces.addMethod('GET', streaming, open), {
      'AwsSolutions-APIG4': byToken,
      'AwsSolutions-COG4': byToken,
    })
    explain(pieces.addMethod('OPTIONS', streaming, open), preflight)
  }
}

const logPolicy = 'arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs'

const authorization = {
  iam: AuthorizationType.IAM,
  oidc: AuthorizationType.CUSTOM,
  public: AuthorizationType.NONE,
}
const aboutService = 'What kind of service this is, for programs that look for one: nothing of what it holds.'
const open = { authorizationType: AuthorizationType.NONE }

const noCredentials =
  'Browsers send no credentials with the question whether they may ask; the answer holds no data.'
const preflight = { 'AwsSolutions-APIG4': noCredentials, 'AwsSolutions-COG4': noCredentials }
