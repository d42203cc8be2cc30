import { Command } from 'commander'
import type { CheckOptions } from './checkFiles.ts'

/** `htsvault check`: whether files are as the vault takes them, and what is in them. */
export function checkCommand(): Command {
  return new Command('check')
    .description('read BAM, CRAM, VCF or BCF files through and report what is in them, or what is wrong')
    .argument('<file...>', 'files as they would be uploaded')
    .option(
      '--references <file>',
      'a .dict or .fai file: references that it does not have, or has otherwise, are a fault',
    )
    .option('--json', 'one JSON object a file, each on its line')
    .addHelpText(
      'after',
      `
Nothing is written. A file that passes is one that the vault takes, and htsvault index indexes.

Examples:
  htsvault check x.bam y.vcf.gz
  htsvault check --references GRCh38.dict x.bam
  htsvault check --json *.cram | jq -r 'select(.sound | not) | .file'

Exit codes: 0 all are sound, 1 one or more are not, 2 wrong usage.`,
    )
    .action(async (files: string[], options: CheckOptions) =>
      (await import('./checkFiles.ts')).checkFiles(files, options),
    )
}
