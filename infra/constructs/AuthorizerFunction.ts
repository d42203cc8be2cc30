import { Duration } from 'aws-cdk-lib'
import { TokenAuthorizer } from 'aws-cdk-lib/aws-apigateway'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { accessEnvironment } from './accessEnvironment.ts'
import { VaultFunction } from './VaultFunction.ts'
import type { VaultState } from './VaultState.ts'

export interface AuthorizerFunctionProps {
  readonly settings: Settings
  readonly state: VaultState
}

/**
 * The API's gate: a token is checked by a function that may do nothing at all, before one is asked that can read the
 * vault. The ticket function checks it again, and alone decides who may read what.
 */
export class AuthorizerFunction extends Construct {
  readonly authorizer: TokenAuthorizer

  constructor(scope: Construct, id: string, { settings, state }: AuthorizerFunctionProps) {
    super(scope, id)
    const { handler } = new VaultFunction(this, 'Function', {
      settings,
      name: 'authorizer',
      description: 'checks the tokens of who asks',
      memory: 512,
      timeout: Duration.seconds(10),
      environment: accessEnvironment(this, settings, state),
      may: [],
    })
    this.authorizer = new TokenAuthorizer(this, 'Authorizer', {
      handler,
      // What is no bearer token costs no call.
      validationRegex: '^[Bb]earer +[-0-9A-Za-z._~+/]+=*$',
      resultsCacheTtl: Duration.minutes(5),
    })
  }
}
