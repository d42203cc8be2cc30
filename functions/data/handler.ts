import { Readable } from 'node:stream'
import middy from '@middy/core'
import { executionModeStreamifyResponse } from '@middy/core/StreamifyResponse'
import type { APIGatewayProxyEvent } from 'aws-lambda'
import { answerData } from '#shared/vault/answerData.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { Log } from '#shared/vault/Log.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { cors } from '../middleware/cors.ts'
import { eventHeader } from '../middleware/eventHeader.ts'
import { htsgetErrors } from '../middleware/htsgetErrors.ts'

export interface DataFunctionProps {
  readonly ports: () => Promise<VaultPorts> | VaultPorts
  readonly log: Log
}

/** Streams one piece of a ticket: the bytes that the token in the path names, and no others. */
export function createDataHandler({ ports, log }: DataFunctionProps) {
  return middy({ executionMode: executionModeStreamifyResponse })
    .use(cors())
    .use(htsgetErrors(log))
    .handler(async (event: APIGatewayProxyEvent) => {
      const token = event.pathParameters?.['proxy']
      if (token === undefined || token === '')
        throw new HtsvaultError('TOKEN_INVALID', 'the data URL is not one that this vault made')
      const reply = await answerData(await ports(), token, eventHeader(event, 'range'))
      const body = Readable.from(reply.body, { objectMode: false, highWaterMark: 1 << 20 })
      return { statusCode: reply.statusCode, headers: { ...reply.headers }, body }
    })
}
