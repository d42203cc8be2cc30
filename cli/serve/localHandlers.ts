import { randomUUID } from 'node:crypto'
import type { Context } from 'aws-lambda'
import { createIngestHandler } from '#functions/ingest/handler.ts'
import { createTicketHandler } from '#functions/ticket/handler.ts'
import type { Route } from '#shared/local/routes.ts'
import type { Authenticate } from '#shared/vault/access/authenticator.ts'
import type { IngestOutcome } from '#shared/vault/ingestUpload.ts'
import type { Log } from '#shared/vault/Log.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

/**
 * The Lambda functions on local ports, behind the routes that API Gateway has. `awslambda` is to be there before: the
 * data function streams.
 */
export async function localHandlers(
  ports: VaultPorts,
  log: Log,
  authenticate: Authenticate | undefined,
): Promise<{ ingest: (key: string) => Promise<IngestOutcome>; routes: Route[] }> {
  const { createDataHandler } = await import('#functions/data/handler.ts')
  const props = { ports: () => ports, log }
  const ingest = createIngestHandler(props)
  const ticket = createTicketHandler({
    ...props,
    authenticate,
    service: { id: 'htsvault.local', name: 'htsvault', version: '0.1.0' },
    scheme: 'http',
    // No gateway cuts a reply short here: a piece may be as long as the specification likes it.
    limits: { pieceBytes: 1_000_000_000 },
  })
  const data = createDataHandler(props)
  const methods = ['GET', 'POST', 'OPTIONS']
  return {
    ingest: key => ingest(objectCreated(key), {} as Context),
    routes: [
      { methods, resource: '/reads/{id+}', handler: ticket },
      { methods, resource: '/variants/{id+}', handler: ticket },
      { methods: ['GET', 'OPTIONS'], resource: '/data/{proxy+}', handler: data },
    ],
  }
}

/** The event that S3 sends by EventBridge when an upload is complete. */
const objectCreated = (key: string) => ({
  version: '0',
  id: randomUUID(),
  source: 'aws.s3',
  'detail-type': 'Object Created',
  time: new Date().toISOString(),
  detail: { version: '0', bucket: { name: 'inbox' }, object: { key }, reason: 'PutObject' },
})
