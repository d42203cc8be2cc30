import { awsPorts } from '#shared/aws/awsClients.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { environment, keyPairSettings } from './environment.ts'

let ports: VaultPorts | undefined

/** The vault's ports on AWS, as the function's environment names them; made at the first request, then kept. */
export function lambdaPorts(): VaultPorts {
  return (ports ??= awsPorts({
    // Only the ingest has an inbox.
    inboxBucket: process.env['INBOX_BUCKET'] ?? '',
    vaultBucket: environment('VAULT_BUCKET'),
    keyPair: keyPairSettings(),
  }))
}
