import { Command, Option } from 'commander'
import { dataOption } from '../dataOption.ts'

/** Which vault: one on AWS where a stage is given, else a local one. */
export interface VaultOptions {
  readonly data: string
  readonly stage?: string
  readonly profile?: string
  readonly region?: string
}

export interface RotateOptions extends VaultOptions {
  readonly retire?: boolean
}

const withVault = (command: Command): Command =>
  command
    .addOption(dataOption())
    .addOption(new Option('--stage <name>', 'a vault on AWS, by the stage that it was deployed as'))
    .option('--profile <name>', 'the AWS profile (default: $AWS_PROFILE)')
    .option('--region <name>', 'the AWS region (default: $AWS_REGION, or that of the profile)')

/** `htsvault admin rotate-key`: a new key pair for a vault. */
export const rotateKeyCommand = (): Command =>
  withVault(new Command('rotate-key'))
    .description('give the vault a new key pair: each run does the next step, and says when to come again')
    .option('--retire', 'the last step: take the older key pair out of use')
    .addHelpText(
      'after',
      `
Examples:
  htsvault admin rotate-key                     a local vault: makes the pair, re-keys every file's headers
  htsvault admin rotate-key --retire            two hours later
  htsvault admin rotate-key --stage prod        on AWS: makes the pair; ten minutes later: re-keys

Files stay where they are and as they are. A run that was interrupted is taken up by the next.`,
    )
    .action(async (options: RotateOptions) => (await import('./rekey.ts')).rotateKeyOf(options))

/** `htsvault admin rekey`: a dataset for the recipients that its settings name now. */
export const rekeyCommand = (): Command =>
  withVault(new Command('rekey'))
    .description("write the headers of a dataset's files for the recipients that its dataset.json names now")
    .argument('<dataset>')
    .addHelpText(
      'after',
      `
Examples:
  htsvault admin rekey study
  htsvault admin rekey study --stage prod --profile lab`,
    )
    .action(async (dataset: string, options: VaultOptions) =>
      (await import('./rekey.ts')).rekeyOf(dataset, options),
    )
