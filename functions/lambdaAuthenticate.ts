import { authenticator, type Authenticate } from '#shared/vault/access/authenticator.ts'
import { readIssuers } from '#shared/vault/access/IssuerSettings.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { environment } from './environment.ts'

/**
 * Who asks, by the function's environment: `ACCESS` is `oidc`, with the issuers in `OIDC_ISSUERS`, or says that the
 * vault knows nobody: `iam` (API Gateway asked) or `public`.
 * @throws HtsvaultError ENVIRONMENT_INCOMPLETE, SETTINGS_INVALID, at the start: such a function answers nobody
 */
export function lambdaAuthenticate(): Authenticate | undefined {
  const access = environment('ACCESS')
  if (access === 'oidc') return authenticator(readIssuers(environment('OIDC_ISSUERS')))
  if (access === 'iam' || access === 'public') return undefined
  throw new HtsvaultError('ENVIRONMENT_INCOMPLETE', 'the ACCESS of the function is not oidc, iam or public', {
    hint: 'Deploy the stack again: it writes the environment of its functions (docs/deploy.md).',
  })
}
