import type { APIGatewayTokenAuthorizerEvent, Context } from 'aws-lambda'
import { expect, test } from '@jest/globals'
import { createAuthorizer } from '#functions/authorizer/handler.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { HtsgetError } from '#shared/htsget/HtsgetError.ts'
import type { Authenticate } from '#shared/vault/access/authenticator.ts'
import { silentLog } from '#shared/vault/Log.ts'

const api = 'arn:aws:execute-api:eu-central-1:111122223333:abcdef1234/prod'
const ask = (authenticate: Authenticate) => {
  const event: APIGatewayTokenAuthorizerEvent = {
    type: 'TOKEN',
    authorizationToken: 'Bearer a.b.c',
    methodArn: `${api}/GET/reads/study/x`,
  }
  return createAuthorizer({ authenticate, log: silentLog })(event, {} as Context)
}

test('a good token opens every route of this stage, and no other', async () => {
  const seen: unknown[] = []
  const answer = await ask(async header => {
    seen.push(header)
    return { issuer: 'i', subject: 's', claims: {} }
  })
  expect(seen).toEqual(['Bearer a.b.c'])
  expect(answer.policyDocument.Statement).toEqual([
    { Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${api}/*` },
  ])
  expect(JSON.stringify(answer)).not.toContain('a.b.c')
})

test('a bad one is the word that API Gateway makes a 401 of', async () => {
  const refuse = ask(() => Promise.reject(new HtsgetError('InvalidAuthentication', 'no')))
  await expect(refuse).rejects.toThrow(/^Unauthorized$/)
})

test('an issuer that does not answer is not a 401', async () => {
  const fail = ask(() => Promise.reject(new HtsvaultError('ISSUER_UNAVAILABLE', 'down')))
  await expect(fail).rejects.toMatchObject({ code: 'ISSUER_UNAVAILABLE' })
})
