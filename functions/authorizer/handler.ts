import middy from '@middy/core'
import type { APIGatewayAuthorizerResult, APIGatewayTokenAuthorizerEvent } from 'aws-lambda'
import { HtsgetError } from '#shared/htsget/HtsgetError.ts'
import type { Authenticate } from '#shared/vault/access/authenticator.ts'
import type { Log } from '#shared/vault/Log.ts'

export interface AuthorizerProps {
  readonly authenticate: Authenticate
  readonly log: Log
}

/**
 * API Gateway's question whether a token is a good one. The answer holds for every route, since API Gateway keeps it
 * with the token; it says nothing of who it is, since whoever reads the vault for somebody checks the token itself.
 */
export function createAuthorizer({ authenticate, log }: AuthorizerProps) {
  return middy<APIGatewayTokenAuthorizerEvent, APIGatewayAuthorizerResult>().handler(
    async ({ authorizationToken, methodArn }) => {
      try {
        await authenticate(authorizationToken)
      } catch (error) {
        // The word that API Gateway makes a 401 of; all else is a failure of ours, and a 503.
        if (error instanceof HtsgetError) throw new Error('Unauthorized')
        log.error('a token could not be checked', {}, error)
        throw error
      }
      const [api, stage] = methodArn.split('/')
      return {
        principalId: 'bearer',
        policyDocument: {
          Version: '2012-10-17',
          Statement: [
            { Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${api ?? ''}/${stage ?? ''}/*` },
          ],
        },
      }
    },
  )
}
