import { CustomResource, RemovalPolicy } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager'
import { Provider } from 'aws-cdk-lib/custom-resources'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { explain } from './explain.ts'
import { explainWildcards } from './explainWildcards.ts'
import { functionRole } from './functionRole.ts'
import { KeyPairFunction } from './KeyPairFunction.ts'

export interface VaultKeyPairProps {
  readonly settings: Settings
  readonly key: IKey
}

/**
 * The vault's Crypt4GH key pair: a secret that is born empty, and a function that fills it once, at the first
 * deployment. The template, the outputs and the logs know the public half alone.
 */
export class VaultKeyPair extends Construct {
  /** ARN of the secret: the private key, wrapped by KMS. */
  readonly secretArn: string
  /** ARN of the KMS key that wraps it. */
  readonly keyArn: string
  /** Part of the encryption context: a wrapped key of one vault is worth nothing in another. */
  readonly vaultName: string
  /** The public half of the first pair, as Crypt4GH writes it; a rotation does not change it. */
  readonly publicKey: string

  constructor(scope: Construct, id: string, { settings, key }: VaultKeyPairProps) {
    super(scope, id)
    // The L2 construct would fill the secret with a random string.
    const secret = new CfnSecret(this, 'Secret', {
      description:
        'htsvault: the Crypt4GH private key of the vault, wrapped by KMS. Without it no object can be read.',
      kmsKeyId: key.keyArn,
    })
    secret.applyRemovalPolicy(RemovalPolicy.RETAIN)
    explain(secret, {
      'AwsSolutions-SMG4':
        'A new key pair means new headers for every manifest: that is a command of the operator, not a timer.',
    })
    this.secretArn = secret.ref
    this.keyArn = key.keyArn
    this.vaultName = `htsvault-${settings.stage}`

    const { handler } = new KeyPairFunction(this, 'Function', { settings, keyPair: this })
    const framework = functionRole(this, 'Framework', { settings })
    const provider = new Provider(this, 'Provider', {
      onEventHandler: handler,
      frameworkOnEventRole: framework.role,
      logGroup: framework.logGroup,
    })
    explainWildcards(framework.role, {
      ':*': 'One function, in whatever version: the framework asks for all of them.',
    })
    const made = new CustomResource(this, 'Made', {
      resourceType: 'Custom::HtsvaultKeyPair',
      serviceToken: provider.serviceToken,
      properties: { Secret: this.secretArn },
      removalPolicy: RemovalPolicy.RETAIN,
    })
    this.publicKey = made.getAttString('PublicKey')
  }
}
