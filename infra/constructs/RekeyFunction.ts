import { Duration } from 'aws-cdk-lib'
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import {
  because,
  keyPairEnvironment,
  onList,
  onNewKeyPair,
  onObjectKeys,
  onObjects,
  vaultKeys,
} from './permissions.ts'
import { VaultFunction } from './VaultFunction.ts'
import type { VaultState } from './VaultState.ts'

export interface RekeyFunctionProps {
  readonly settings: Settings
  readonly state: VaultState
}

/**
 * Rotates the key pair and re-keys manifests, when an operator calls it: so private keys are never on an operator's
 * machine, and an operator needs to be allowed this one call.
 */
export class RekeyFunction extends Construct {
  readonly handler: NodejsFunction

  constructor(scope: Construct, id: string, { settings, state }: RekeyFunctionProps) {
    super(scope, id)
    this.handler = new VaultFunction(this, 'Function', {
      settings,
      name: 'rekey',
      description: 'rotates the key pair and re-keys manifests, for htsvault admin',
      memory: 1024,
      // It answers after two minutes, to be called again.
      timeout: Duration.minutes(5),
      environment: { VAULT_BUCKET: state.vault.bucketName, ...keyPairEnvironment(state.keyPair) },
      may: [
        onObjects(state.vault, ['s3:GetObject'], [...vaultKeys.manifests, ...vaultKeys.settings]),
        onObjects(state.vault, ['s3:PutObject'], vaultKeys.manifests),
        onList(state.vault),
        onObjectKeys(state, 'readWrite', state.vault),
        ...onNewKeyPair(state.keyPair),
      ],
      wildcards: because(
        'The manifest of any file, and the settings of any dataset: both are the users’ own.',
        ...vaultKeys.manifests,
        ...vaultKeys.settings,
      ),
    }).handler
  }
}
