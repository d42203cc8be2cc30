import { Aws, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import {
  AccountRecovery,
  Mfa,
  OAuthScope,
  UserPool,
  type UserPoolClient,
  type UserPoolDomain,
} from 'aws-cdk-lib/aws-cognito'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { explain } from './explain.ts'

export interface VaultUsersProps {
  readonly stage: string
  readonly cognito: NonNullable<Settings['cognito']>
}

/** People who may sign in, in a user pool of Cognito: for who has no OIDC issuer. Its administrators add them. */
export class VaultUsers extends Construct {
  readonly pool: UserPool
  /** Programs and web pages on the users' own machines: they keep no secret, and sign in by code and PKCE. */
  readonly client: UserPoolClient
  readonly domain: UserPoolDomain
  /** What the functions are to believe. */
  readonly issuer: Readonly<Record<string, string>>

  constructor(scope: Construct, id: string, { stage, cognito }: VaultUsersProps) {
    super(scope, id)
    this.pool = new UserPool(this, 'Pool', {
      userPoolName: `htsvault-${stage}`,
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      signInCaseSensitive: false,
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 12,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
        tempPasswordValidity: Duration.days(3),
      },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    explain(this.pool, {
      'AwsSolutions-COG3': 'Threat protection has a price for each user; a second factor is asked of all.',
      'AwsSolutions-COG8': 'The plan with threat protection has a price for each user.',
    })
    this.client = this.pool.addClient('Client', {
      generateSecret: false,
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID],
        callbackUrls: [...cognito.callbackUrls],
      },
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      accessTokenValidity: Duration.minutes(cognito.tokenMinutes),
      idTokenValidity: Duration.minutes(cognito.tokenMinutes),
      refreshTokenValidity: Duration.days(1),
    })
    // A prefix is to be unique in its region.
    this.domain = this.pool.addDomain('Domain', {
      cognitoDomain: { domainPrefix: `htsvault-${stage}-${Aws.ACCOUNT_ID}` },
    })
    const { region, urlSuffix } = Stack.of(this)
    this.issuer = {
      issuer: `https://cognito-idp.${region}.${urlSuffix}/${this.pool.userPoolId}`,
      audience: this.client.userPoolClientId,
      // Access tokens of Cognito have no audience.
      audienceClaim: 'client_id',
      groupsClaim: 'cognito:groups',
    }
  }
}
