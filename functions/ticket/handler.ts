import middy from '@middy/core'
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { HtsgetError } from '#shared/htsget/HtsgetError.ts'
import type { Datatype } from '#shared/htsget/HtsgetQuery.ts'
import { parseGetQuery } from '#shared/htsget/parseGetQuery.ts'
import { parsePostBody } from '#shared/htsget/parsePostBody.ts'
import { serviceInfo, type ServiceInfoProps } from '#shared/htsget/serviceInfo.ts'
import { ticketContentType } from '#shared/htsget/writeTicket.ts'
import type { Authenticate } from '#shared/vault/access/authenticator.ts'
import { answerTicket, type TicketOptions } from '#shared/vault/answerTicket.ts'
import { jsonReply } from '#shared/vault/httpReply.ts'
import type { Log } from '#shared/vault/Log.ts'
import { type Metrics, noMetrics } from '#shared/vault/Metrics.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { cors } from '../middleware/cors.ts'
import { eventHeader } from '../middleware/eventHeader.ts'
import { htsgetErrors } from '../middleware/htsgetErrors.ts'

export interface TicketFunctionProps {
  readonly ports: () => Promise<VaultPorts> | VaultPorts
  readonly log: Log
  readonly metrics?: Metrics
  readonly service: Omit<ServiceInfoProps, 'publicKey'>
  /** Who asks, for all but service-info; undefined where the vault knows nobody: a public one, or one that IAM guards. */
  readonly authenticate: Authenticate | undefined
  /** Where this API is reached, without a slash at the end; without it, where the request says it came to. */
  readonly url?: string
  /** How a request that comes here came to the API, where `url` does not say. */
  readonly scheme?: 'https' | 'http'
  readonly limits?: TicketOptions['limits']
}

/** Answers `/reads/{id+}` and `/variants/{id+}`: tickets, and service-info. */
export function createTicketHandler({
  ports,
  log,
  metrics = noMetrics,
  service,
  authenticate,
  url,
  scheme = 'https',
  limits,
}: TicketFunctionProps) {
  return middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
    .use(cors())
    .use(htsgetErrors(log))
    .handler(async event => {
      const datatype = datatypeOf(event)
      const id = idOf(event)
      if (id === 'service-info') {
        const { publicKey } = await (await ports()).keys.keyPair()
        const info = serviceInfo(datatype, { ...service, publicKey: writePublicKey(publicKey) })
        return jsonReply(200, 'application/json', JSON.stringify(info))
      }
      const identity = await authenticate?.(eventHeader(event, 'authorization'))
      const query =
        event.httpMethod === 'POST'
          ? parsePostBody(datatype, bodyOf(event))
          : parseGetQuery(datatype, parametersOf(event))
      const ticket = await answerTicket(await ports(), id, query, {
        dataUrl: `${url ?? urlOf(event, scheme)}/data/`,
        ...(limits && { limits }),
        ...(identity && { identity }),
        publicKey: eventHeader(event, 'htsget-context-public-key'),
      })
      metrics.add({ Tickets: 1 })
      return jsonReply(200, ticketContentType, ticket)
    })
}

function datatypeOf({ resource }: APIGatewayProxyEvent): Datatype {
  const found = /^\/(reads|variants)\//.exec(resource)?.[1]
  if (found === undefined) throw new HtsgetError('NotFound', 'there is nothing here but /reads and /variants')
  return found as Datatype
}

/** The id in the path: a REST API hands path parameters over percent-encoded. */
function idOf(event: APIGatewayProxyEvent): string {
  // A route of its own where anyone may ask for it.
  if (event.resource.endsWith('/service-info')) return 'service-info'
  try {
    return decodeURIComponent(event.pathParameters?.['id'] ?? '')
  } catch (cause) {
    throw new HtsgetError('InvalidInput', 'the id is not percent-encoded UTF-8', { cause })
  }
}

function parametersOf(event: APIGatewayProxyEvent): Record<string, string[] | undefined> {
  return event.multiValueQueryStringParameters ?? {}
}

/** @throws HtsgetError InvalidInput where a POST has a query string too */
function bodyOf(event: APIGatewayProxyEvent): string | undefined {
  if (Object.keys(parametersOf(event)).length > 0)
    throw new HtsgetError('InvalidInput', 'a POST takes its parameters from the body alone')
  if (event.body === null || !event.isBase64Encoded) return event.body ?? undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(event.body, 'base64'))
  } catch (cause) {
    throw new HtsgetError('InvalidInput', 'the body is not UTF-8', { cause })
  }
}

/** The API as the client reached it: its path may begin with a stage or a base path. */
function urlOf({ requestContext, path }: APIGatewayProxyEvent, scheme: string): string {
  const prefix = requestContext.path.endsWith(path) ? requestContext.path.slice(0, -path.length) : ''
  return `${scheme}://${requestContext.domainName ?? ''}${prefix}`
}
