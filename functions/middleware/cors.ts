import type { MiddlewareObj } from '@middy/core'
import type { APIGatewayProxyEvent } from 'aws-lambda'
import { eventHeader } from './eventHeader.ts'

interface Reply {
  statusCode: number
  headers?: Record<string, string | number | boolean>
}

/** 30 days in seconds, as htsget asks (htsget §CORS). */
const maxAge = '2592000'

/** The CORS headers of a reply to this event: the asking origin is echoed, and nothing is said to a client without one. */
export function corsHeaders(event: APIGatewayProxyEvent): Record<string, string> {
  const origin = eventHeader(event, 'origin')
  if (origin === undefined) return { Vary: 'Origin' }
  const asked = eventHeader(event, 'access-control-request-headers')
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    ...(event.httpMethod === 'OPTIONS' && {
      'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
      'Access-Control-Allow-Headers':
        asked ?? 'Content-Type, Authorization, Range, Htsget-Context-Public-Key',
      'Access-Control-Max-Age': maxAge,
    }),
    'Access-Control-Expose-Headers': 'Content-Length, Content-Range',
  }
}

/** CORS on everything that a browser's htsget client asks: answers preflights itself, adds headers to the rest. */
export function cors(): MiddlewareObj<APIGatewayProxyEvent, Reply> {
  const add = (request: { event: APIGatewayProxyEvent; response: Reply | null | undefined }) => {
    if (request.response)
      request.response.headers = { ...request.response.headers, ...corsHeaders(request.event) }
  }
  return {
    before: request =>
      request.event.httpMethod === 'OPTIONS'
        ? { statusCode: 204, headers: corsHeaders(request.event), body: '' }
        : undefined,
    after: add,
    onError: add,
  }
}
