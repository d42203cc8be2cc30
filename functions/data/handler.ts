import { Readable } from 'node:stream'
import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/StreamifyResponse'
import type { APIGatewayProxyEvent } from 'aws-lambda'
import { answerData } from '#shared/vault/answerData.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { Log } from '#shared/vault/Log.ts'
import { type Metrics, noMetrics } from '#shared/vault/Metrics.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { cors } from '../middleware/cors.ts'
import { eventHeader } from '../middleware/eventHeader.ts'
import { htsgetErrors } from '../middleware/htsgetErrors.ts'

export interface DataFunctionProps {
  readonly ports: () => Promise<VaultPorts> | VaultPorts
  readonly log: Log
  readonly metrics?: Metrics
}

/** Streams one piece of a ticket: the bytes that the token in the path names, and no others. */
export function createDataHandler({ ports, log, metrics = noMetrics }: DataFunctionProps) {
  return middy({ executionMode: executionModeStreamifyResponse })
    .use(cors())
    .use(htsgetErrors(log))
    .handler(async (event: APIGatewayProxyEvent) => {
      const token = event.pathParameters?.['proxy']
      if (token === undefined || token === '')
        throw new HtsvaultError('TOKEN_INVALID', 'the data URL is not one that this vault made')
      const reply = await answerData(await ports(), token, eventHeader(event, 'range'))
      const counted = count(reply.body, bytes => metrics.add({ DataReplies: 1, DataBytes: bytes }))
      const body = Readable.from(counted, { objectMode: false, highWaterMark: 1 << 20 })
      return { statusCode: reply.statusCode, headers: { ...reply.headers }, body }
    })
}

/** The same chunks; when they end, or nobody wants more, how many bytes there were. */
async function* count(
  chunks: AsyncIterable<Uint8Array>,
  tell: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length
      yield chunk
    }
  } finally {
    tell(bytes)
  }
}
