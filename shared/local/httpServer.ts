import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { finished } from 'node:stream/promises'
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda'
import { HtsvaultError } from '#shared/errors.ts'
import { isStreaming, ServerResponseStream, writePrelude } from './awslambda.ts'
import { takeUpload } from './inboxUpload.ts'
import type { InboxRoute } from './inboxUpload.ts'
import { sendError, sendJson } from './jsonReply.ts'
import { isOurName, mayAsk } from './localNames.ts'
import { invocationContext, proxyEvent } from './proxyEvent.ts'
import type { InvocationContext } from './proxyEvent.ts'
import { matchRoute } from './routes.ts'
import type { Route, RouteMatch } from './routes.ts'

export interface ServerOptions {
  /** 0 for any that is free. */
  readonly port: number
  readonly host?: string
  /** Of web pages that may ask, besides those that this machine serves; absent: any, as where tokens say who asks. */
  readonly origins?: readonly string[]
  /** The functions, as API Gateway would call them; the first that matches answers. */
  readonly routes: readonly Route[]
  readonly inbox?: InboxRoute
  /** What `GET /status` answers, as JSON. */
  readonly status?: () => unknown
  /** Faults of the server itself: clients are told only that there was one. */
  readonly onError?: (error: unknown) => void
  /** The largest body of a request to a function, in bytes; API Gateway takes 10 MB. */
  readonly maxBodyBytes?: number
}

export interface LocalServer {
  readonly port: number
  /** `http://HOST:PORT` */
  readonly url: string
  /** Takes no more requests, gives those under way `graceMs` to end, then ends them. */
  close(graceMs?: number): Promise<void>
}

/** A connection on which nothing moves for so long is closed, in milliseconds. */
const idleLimit = 10 * 60_000

/**
 * Serves the functions, uploads and the status over HTTP, for one machine.
 * @throws HtsvaultError PORT_TAKEN, ADDRESS_UNAVAILABLE
 */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  const { host = '127.0.0.1' } = options
  let url = ''
  let closed: Promise<unknown> | undefined
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    // A connection that is kept alive would hold the server open.
    response.once('finish', () => closed && request.socket.destroySoon())
    handle(options, url, request, response).catch((error: unknown) => {
      options.onError?.(error)
      sendError(response, 500, { code: 'INTERNAL', message: 'an error of the server itself' })
    })
  }
  // An upload may take hours; what does not move is caught by the idle limit.
  const server = createServer({ requestTimeout: 0, headersTimeout: 60_000 }, answer)
  server.on('checkContinue', answer)
  server.timeout = idleLimit
  await listen(server, options.port, host)
  const { port } = server.address() as AddressInfo
  url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    port,
    url,
    async close(graceMs = 2000) {
      if (closed === undefined) {
        closed = once(server, 'close')
        server.close()
      }
      const timer = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(timer)
    },
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw new HtsvaultError(
      taken ? 'PORT_TAKEN' : 'ADDRESS_UNAVAILABLE',
      taken ? `port ${port} is in use` : `${host}:${port} cannot be listened on`,
      { hint: 'Choose another one: npm start -- --port 8081', cause },
    )
  }
}

async function handle(
  options: ServerOptions,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET' } = request
  if (!isOurName(request.headers.host, options.host ?? '127.0.0.1')) {
    sendError(response, 421, { code: 'HOST_UNKNOWN', message: 'this server is not known by that name' })
    return
  }
  if (options.origins && !mayAsk(request.headers.origin, options.origins)) {
    sendError(response, 403, {
      code: 'ORIGIN_REFUSED',
      message: 'web pages of that origin may not read this vault: --origin lets one',
    })
    return
  }
  const [path, query] = targetOf(request)
  const allowed = new Set<string>()
  // Of the functions' paths; uploads and the status are not for other pages.
  let crossOrigin: Readonly<Record<string, string>> = {}

  if (path === '/status' && options.status) {
    if (method === 'GET' || method === 'HEAD') {
      sendJson(response, 200, options.status())
      return
    }
    allowed.add('GET')
  }
  if (path.startsWith('/inbox/') && options.inbox) {
    if (method === 'PUT') {
      await takeUpload(options.inbox, path.slice('/inbox/'.length), request, response, `${url}/status`)
      return
    }
    allowed.add('PUT')
  }
  for (const route of options.routes) {
    const match = matchRoute(route, path)
    if (match === undefined) continue
    if (route.methods.includes(method)) {
      await callFunction(options, route, match, query, request, response)
      return
    }
    crossOrigin = corsHeaders(request)
    for (const other of route.methods) allowed.add(other)
  }
  if (allowed.size === 0) {
    sendError(response, 404, { code: 'NOT_FOUND', message: 'there is nothing at this path' })
    return
  }
  const Allow = [...allowed].join(', ')
  sendError(
    response,
    405,
    { code: 'METHOD_NOT_ALLOWED', message: `this path takes ${Allow}` },
    { ...crossOrigin, Allow },
  )
}

/** For what is answered in a function's place: a page may read that too (htsget §CORS). */
const corsHeaders = ({ headers: { origin } }: IncomingMessage): Readonly<Record<string, string>> => ({
  Vary: 'Origin',
  ...(origin !== undefined && { 'Access-Control-Allow-Origin': origin }),
})

/** Path and query of a request, as they came; a proxy's absolute form without its host. */
function targetOf(request: IncomingMessage): [path: string, query: string] {
  const target = (request.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '')
  const mark = target.indexOf('?')
  return mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)]
}

async function callFunction(
  options: ServerOptions,
  { handler }: Route,
  match: RouteMatch,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request, response, options.maxBodyBytes ?? 10_000_000)
  if (body === undefined) return
  const event = proxyEvent(request, match, query, body)
  const context = invocationContext(event)
  if (isStreaming(handler)) {
    const stream = new ServerResponseStream(response)
    // Whatever ends it, is told by the handler or by the stream's own end.
    const ended = finished(stream).catch(() => undefined)
    const call = handler as unknown as StreamingHandler
    try {
      await call(event, stream, context)
      await ended
    } catch (error) {
      // A client that left is no fault.
      if (!stream.clientLeft) throw error
    }
    return
  }
  const reply = await (handler as unknown as Handler)(event, context)
  writePrelude(response, reply)
  response.end(Buffer.from(reply.body, reply.isBase64Encoded === true ? 'base64' : 'utf8'))
}

type Handler = (event: APIGatewayProxyEvent, context: InvocationContext) => Promise<APIGatewayProxyResult>
type StreamingHandler = (
  event: APIGatewayProxyEvent,
  stream: ServerResponseStream,
  context: InvocationContext,
) => Promise<void>

/** A body of at most `maxBytes`; a larger one is refused, and so not held. Undefined where an answer was given. */
async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const tooLarge = {
    code: 'PAYLOAD_TOO_LARGE',
    message: `the body of a request has at most ${maxBytes} bytes`,
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    sendError(response, 413, tooLarge, corsHeaders(request))
    return undefined
  }
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size <= maxBytes) chunks.push(chunk)
      else chunks.length = 0
    }
  } catch (error) {
    // The client left.
    if (!request.complete) return undefined
    throw error
  }
  if (size <= maxBytes) return Buffer.concat(chunks)
  sendError(response, 413, tooLarge, corsHeaders(request))
  return undefined
}
