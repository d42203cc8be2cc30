import { join } from 'node:path'
import type { Duration } from 'aws-cdk-lib'
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Architecture, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { Charset, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { Construct } from 'constructs'
import type { Settings } from '../config.ts'
import { explainWildcards } from './explainWildcards.ts'
import { functionRole } from './functionRole.ts'

const root = join(import.meta.dirname, '../..')

export interface VaultFunctionProps {
  readonly settings: Settings
  /** The folder below functions/. */
  readonly name: 'ingest' | 'largeIngest' | 'ticket' | 'data' | 'keypair' | 'rekey' | 'authorizer'
  readonly description: string
  /** MiB. */
  readonly memory: number
  readonly timeout: Duration
  readonly environment: Readonly<Record<string, string>>
  /** All that it may do, besides writing its log. */
  readonly may: readonly PolicyStatement[]
  /** Why a resource of these permissions that ends so, in a wildcard, is needed. */
  readonly wildcards?: Readonly<Record<string, string>>
  readonly concurrency?: number | undefined
}

/** One function of the vault: how all of them are bundled and run. */
export class VaultFunction extends Construct {
  readonly handler: NodejsFunction

  constructor(scope: Construct, id: string, props: VaultFunctionProps) {
    super(scope, id)
    const { role, logGroup } = functionRole(this, 'Log', props)
    for (const statement of props.may) role.addToPolicy(statement)
    explainWildcards(role, {
      ...props.wildcards,
      '*': 'Traces belong to no resource: X-Ray takes them for the account.',
    })
    this.handler = new NodejsFunction(this, 'Handler', {
      description: `htsvault: ${props.description}`,
      entry: join(root, 'functions', props.name, 'index.ts'),
      projectRoot: root,
      depsLockFilePath: join(root, 'package-lock.json'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memory,
      timeout: props.timeout,
      ...(props.concurrency !== undefined && { reservedConcurrentExecutions: props.concurrency }),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      // Reusing connections is the SDK's default; the variable that CDK would set is of version 2.
      awsSdkConnectionReuse: false,
      environment: {
        ...props.environment,
        POWERTOOLS_SERVICE_NAME: props.name,
      },
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        mainFields: ['module', 'main'],
        charset: Charset.UTF8,
        minify: true,
        // The SDK that was tested is the one that runs, and only the part of it that is used.
        bundleAwsSDK: true,
        banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
      },
    })
  }
}
