import { Writable } from 'node:stream'
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda'
import { createIngestHandler } from '#functions/ingest/handler.ts'
import { createTicketHandler } from '#functions/ticket/handler.ts'
import { silentLog } from '#shared/vault/Log.ts'
import type { Authenticate } from '#shared/vault/access/authenticator.ts'
import type { IngestOutcome } from '#shared/vault/ingestUpload.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

interface Prelude {
  statusCode: number
  headers: Record<string, string>
}

/** What a streaming function sent. */
export interface StreamedReply extends Prelude {
  body: Buffer
}

class Collected extends Writable {
  prelude: Prelude | undefined
  readonly chunks: Buffer[] = []
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.chunks.push(chunk)
    done()
  }
}

/** The part of Lambda's runtime that streaming handlers need. */
function provideRuntime(): void {
  const awslambda = {
    streamifyResponse: (handler: unknown) => handler,
    HttpResponseStream: { from: (stream: Collected, prelude: Prelude) => Object.assign(stream, { prelude }) },
  }
  Object.assign(globalThis, { awslambda })
}

export interface Functions {
  ingest(event: unknown): Promise<IngestOutcome>
  ticket(event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult>
  data(event: APIGatewayProxyEvent): Promise<StreamedReply>
}

/** The Lambda functions on any ports, to be called with the events that AWS sends. */
export async function functionsOn(ports: VaultPorts, authenticate?: Authenticate): Promise<Functions> {
  provideRuntime()
  const { createDataHandler } = await import('#functions/data/handler.ts')
  const props = { ports: () => ports, log: silentLog }
  const context = {} as Context
  const ingest = createIngestHandler(props)
  const ticket = createTicketHandler({
    ...props,
    authenticate,
    service: { id: 'test.htsvault', name: 'htsvault', version: '0.1.0' },
  })
  const data = createDataHandler(props) as unknown as (
    event: unknown,
    stream: Writable,
    context: Context,
  ) => Promise<void>
  return {
    ingest: event => ingest(event, context),
    ticket: event => ticket(event, context),
    async data(event) {
      const stream = new Collected()
      await data(event, stream, context)
      return { ...stream.prelude!, body: Buffer.concat(stream.chunks) }
    },
  }
}
