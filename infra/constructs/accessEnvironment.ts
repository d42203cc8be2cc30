import { Stack } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import type { VaultState } from './VaultState.ts'

/** What a function needs to know to tell who asks. */
export function accessEnvironment(
  scope: Construct,
  { access, oidc }: Settings,
  { users }: VaultState,
): Readonly<Record<string, string>> {
  if (access !== 'oidc') return { ACCESS: access }
  return { ACCESS: access, OIDC_ISSUERS: Stack.of(scope).toJsonString(users ? [users.issuer] : oidc) }
}
