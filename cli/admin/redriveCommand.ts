import { Command } from 'commander'
import { type StackOptions, withStack } from './stackOptions.ts'

export interface RedriveOptions extends StackOptions {
  readonly list?: boolean
}

/** `htsvault admin redrive`: failed ingests of a vault on AWS, once more. */
export const redriveCommand = (): Command =>
  withStack(new Command('redrive'))
    .description('give the uploads that could not be ingested, for a reason of ours, to the ingest again')
    .option('--list', 'only tell what waits in the queue, and why')
    .addHelpText(
      'after',
      `
Examples:
  htsvault admin redrive --list
  htsvault admin redrive --stage dev --profile lab --region eu-central-1`,
    )
    .action(async (options: RedriveOptions) => (await import('./redrive.ts')).redrive(options))
