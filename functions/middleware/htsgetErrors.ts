import type { MiddlewareObj } from '@middy/core'
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda'
import { HtsvaultError } from '#shared/errors.ts'
import { errorReply } from '#shared/vault/httpReply.ts'
import type { Log } from '#shared/vault/Log.ts'

/**
 * Answers whatever a handler throws in htsget's own JSON. What is not the client's business (a store's message, a
 * stack) goes to the log alone; of the request the route, since a data URL's path is its token.
 */
export function htsgetErrors(log: Log): MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> {
  return {
    onError: request => {
      const reply = errorReply(request.error)
      // A refusal may hide a fault of the vault's from the client, never from its owner.
      const hidden = request.error?.cause
      if (hidden instanceof HtsvaultError && hidden.code === 'DATASET_SETTINGS_INVALID')
        log.error('nobody may read: the settings of a dataset are broken', {}, hidden)
      if (reply.statusCode >= 500)
        log.error('request failed', { resource: request.event.resource }, request.error)
      request.response = reply
    },
  }
}
