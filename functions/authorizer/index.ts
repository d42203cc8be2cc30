import { HtsvaultError } from '#shared/errors.ts'
import { lambdaAuthenticate } from '../lambdaAuthenticate.ts'
import { lambdaLog } from '../lambdaLog.ts'
import { createAuthorizer } from './handler.ts'

const authenticate = lambdaAuthenticate()
if (!authenticate)
  throw new HtsvaultError('ENVIRONMENT_INCOMPLETE', 'a vault that knows nobody needs no authorizer', {
    hint: 'Deploy the stack again: it writes the environment of its functions (docs/deploy.md).',
  })

export const handler = createAuthorizer({ authenticate, log: lambdaLog })
