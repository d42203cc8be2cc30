import { delimiter, join } from 'node:path'
import {
  CloudFormationClient,
  DescribeStacksCommand,
  ListStackResourcesCommand,
  UpdateTerminationProtectionCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation'
import { run } from './interop.ts'
import type { MotoServer } from './motoServer.ts'

const root = join(import.meta.dirname, '..', '..')
const tools = join(root, 'node_modules', '.bin')

/** What CloudFormation made: a name, an ARN or an id. */
interface Made {
  readonly type: string
  readonly logical: string
  readonly physical: string
}

/** The vault of stage `smoke`, deployed by the CDK command as a person runs it, from a folder that holds its templates. */
export class DeployedVault {
  readonly stateful = 'htsvault-smoke-stateful'
  readonly stateless = 'htsvault-smoke-stateless'
  outputs: Readonly<Record<string, string>> = {}
  made: readonly Made[] = []
  private readonly client: CloudFormationClient
  private readonly moto: MotoServer & { log(): string }
  private readonly folder: string

  constructor(moto: MotoServer & { log(): string }, folder: string) {
    this.moto = moto
    this.folder = folder
    this.client = new CloudFormationClient(moto.settings)
  }

  async deploy(): Promise<void> {
    const { stateful, stateless, folder } = this
    await this.succeed('bootstrap', 'aws://123456789012/eu-central-1')
    const settings = JSON.stringify({ stage: 'smoke' })
    await this.succeed(
      'deploy',
      '--all',
      '--require-approval=never',
      '--output',
      folder,
      '-c',
      `htsvault=${settings}`,
    )
    const stacks = await Promise.all([stateful, stateless].map(name => this.stack(name)))
    this.outputs = Object.fromEntries(
      stacks.flatMap(({ Outputs = [] }) => Outputs.map(o => [o.OutputKey!, o.OutputValue!])),
    )
    const resources = await Promise.all(
      [stateful, stateless].map(StackName => this.client.send(new ListStackResourcesCommand({ StackName }))),
    )
    this.made = resources.flatMap(({ StackResourceSummaries = [] }) =>
      StackResourceSummaries.map(r => ({
        type: r.ResourceType!,
        logical: r.LogicalResourceId!,
        physical: r.PhysicalResourceId!,
      })),
    )
  }

  /** `cdk ARGS` with the templates of the first deployment. */
  async cdk(...args: string[]): Promise<{ code: number; said: string }> {
    const { code, stderr, stdout } = await run(join(tools, 'cdk'), args, {
      cwd: root,
      timeLimit: 240_000,
      env: {
        PATH: [tools, process.env['PATH']].join(delimiter),
        CI: 'true',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
        // By name: CloudFormation reads the template where the endpoint says, and moto knows `localhost` alone.
        AWS_ENDPOINT_URL: this.moto.url.replace('127.0.0.1', 'localhost'),
        AWS_REGION: this.moto.settings.region,
        AWS_ACCESS_KEY_ID: 'x',
        AWS_SECRET_ACCESS_KEY: 'x',
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
        AWS_CONFIG_FILE: '/nonexistent',
      },
    })
    return { code, said: stderr + stdout.toString() }
  }

  /** @throws Error with what was said where it fails */
  async succeed(...args: string[]): Promise<string> {
    const { code, said } = await this.cdk(...args)
    if (code !== 0) throw new Error(`cdk ${args.join(' ')}: ${said}\n${this.moto.log().slice(-4000)}`)
    return said
  }

  async stack(StackName: string): Promise<Stack> {
    return (await this.client.send(new DescribeStacksCommand({ StackName }))).Stacks![0]!
  }

  async unprotect(StackName: string): Promise<void> {
    await this.client.send(
      new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
    )
  }

  /** The one resource of that type whose logical id fits. */
  the(type: string, logical: RegExp): string {
    const found = this.made.filter(each => each.type === type && logical.test(each.logical))
    if (found.length !== 1)
      throw new Error(`${found.length} resources of type ${type} are ${String(logical)}`)
    return found[0]!.physical
  }
}
