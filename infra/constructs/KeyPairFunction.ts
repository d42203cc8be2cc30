import { Duration } from 'aws-cdk-lib'
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { keyPairEnvironment, onNewKeyPair } from './permissions.ts'
import { VaultFunction } from './VaultFunction.ts'
import type { VaultKeyPair } from './VaultKeyPair.ts'

export interface KeyPairFunctionProps {
  readonly settings: Settings
  readonly keyPair: VaultKeyPair
}

/** Makes the vault's key pair at the first deployment, and leaves it alone ever after. */
export class KeyPairFunction extends Construct {
  readonly handler: NodejsFunction

  constructor(scope: Construct, id: string, { settings, keyPair }: KeyPairFunctionProps) {
    super(scope, id)
    this.handler = new VaultFunction(this, 'Function', {
      settings,
      name: 'keypair',
      description: 'makes the key pair, once',
      memory: 256,
      timeout: Duration.minutes(1),
      environment: keyPairEnvironment(keyPair),
      may: onNewKeyPair(keyPair),
    }).handler
  }
}
