import { type Command, Option } from 'commander'

export interface StackOptions {
  readonly stage: string
  readonly profile?: string
  readonly region?: string
}

/** Which vault on AWS: its stage, and whose account. The SDK's own variables count where an option is not given. */
export const withStack = (command: Command): Command =>
  command
    .addOption(new Option('--stage <name>', 'the stage that the vault was deployed as').default('prod'))
    .option('--profile <name>', 'the AWS profile (default: $AWS_PROFILE)')
    .option('--region <name>', 'the AWS region (default: $AWS_REGION, or that of the profile)')

/** Hands profile and region to the SDK, which reads them when a client is made. */
export function useStack({ profile, region }: Pick<StackOptions, 'profile' | 'region'>): void {
  if (profile !== undefined) process.env['AWS_PROFILE'] = profile
  if (region !== undefined) process.env['AWS_REGION'] = region
}
