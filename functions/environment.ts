import { HtsvaultError } from '#shared/errors.ts'

/**
 * A setting of the function's environment, which the stack writes.
 * @throws HtsvaultError ENVIRONMENT_INCOMPLETE, at the first start: a function without it answers nobody
 */
export function environment(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '')
    throw new HtsvaultError('ENVIRONMENT_INCOMPLETE', `the function's environment has no ${name}`, {
      hint: 'Deploy the stack again: it writes the environment of its functions (docs/deploy.md).',
    })
  return value
}

/** Where the vault's key pair is. */
export const keyPairSettings = () => ({
  secretId: environment('KEY_SECRET_ID'),
  keyId: environment('KEY_ID'),
  stack: environment('VAULT_NAME'),
})
