import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { VaultState } from '../constructs/VaultState.ts'

export interface StatefulStackProps extends StackProps {
  readonly settings: Settings
}

/** What must survive: the buckets, the encryption key, the vault's key pair. Nothing in it is deleted with the stack. */
export class StatefulStack extends Stack {
  readonly state: VaultState

  constructor(scope: Construct, id: string, { settings, ...props }: StatefulStackProps) {
    super(scope, id, props)
    this.state = new VaultState(this, 'State', { settings })

    new CfnOutput(this, 'Inbox', {
      value: this.state.inbox.bucketName,
      description: 'Upload here: s3://…/<dataset>/<name>',
    })
    new CfnOutput(this, 'Vault', { value: this.state.vault.bucketName, description: 'Holds what is served' })
    // A rotation is no deployment: no output could show the key that is in force.
    new CfnOutput(this, 'FirstPublicKey', {
      value: this.state.keyPair.publicKey,
      description:
        'The Crypt4GH public key that the vault began with; GET …/reads/service-info tells the one in force',
    })
    const { users } = this.state
    if (users) {
      new CfnOutput(this, 'Issuer', {
        value: users.issuer['issuer']!,
        description: 'The OIDC issuer of the users',
      })
      new CfnOutput(this, 'ClientId', {
        value: users.client.userPoolClientId,
        description: 'The client by which they sign in',
      })
      new CfnOutput(this, 'SignIn', { value: users.domain.baseUrl(), description: 'Where they sign in' })
    }
  }
}
