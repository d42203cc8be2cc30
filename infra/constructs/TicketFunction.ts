import { Duration } from 'aws-cdk-lib'
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { accessEnvironment } from './accessEnvironment.ts'
import {
  because,
  keyPairEnvironment,
  onKeyPair,
  onList,
  onObjectKeys,
  onObjects,
  vaultKeys,
} from './permissions.ts'
import { VaultFunction } from './VaultFunction.ts'
import type { VaultState } from './VaultState.ts'

export interface TicketFunctionProps {
  readonly settings: Settings
  readonly state: VaultState
  /** The API's own URL, without a slash at the end: what the URLs of a ticket begin with. */
  readonly url: string
}

const reads = [
  ...vaultKeys.manifests,
  ...vaultKeys.settings,
  ...vaultKeys.blockMaps,
  ...vaultKeys.registeredKeys,
  // A presigned URL can do what its signer may do.
  ...vaultKeys.bodies,
]

/** Answers htsget queries with tickets. */
export class TicketFunction extends Construct {
  readonly handler: NodejsFunction

  constructor(scope: Construct, id: string, { settings, state, url }: TicketFunctionProps) {
    super(scope, id)
    this.handler = new VaultFunction(this, 'Function', {
      settings,
      name: 'ticket',
      description: 'answers htsget queries with tickets',
      memory: settings.memory.ticket,
      // API Gateway gives up after 29 s.
      timeout: Duration.seconds(28),
      environment: {
        VAULT_BUCKET: state.vault.bucketName,
        TICKET_URL: url,
        ...accessEnvironment(this, settings, state),
        ...keyPairEnvironment(state.keyPair),
      },
      may: [
        onObjects(state.vault, ['s3:GetObject'], reads),
        onList(state.vault),
        onObjectKeys(state, 'read', state.vault),
        ...onKeyPair(state.keyPair),
      ],
      wildcards: because(
        "All of any file but its index, and for whom it is encrypted: datasets and names are the users' own.",
        ...reads,
      ),
    }).handler
  }
}
