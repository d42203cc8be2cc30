import { Command, Option } from 'commander'
import { dataOption } from '../dataOption.ts'

export interface GetOptions {
  readonly data: string
  readonly part: 'body' | 'index' | 'block-map'
  readonly output?: string
}

/** `htsvault get`: a file of a local vault, its index or its block map, decrypted. */
export function getCommand(): Command {
  return new Command('get')
    .description('write a file of the vault, or its index, decrypted, to standard output or to a file')
    .argument('<file>', '<dataset>/<name>, as it was uploaded')
    .addOption(dataOption())
    .addOption(
      new Option('--part <part>', 'what of it').choices(['body', 'index', 'block-map']).default('body'),
    )
    .option('-o, --output <file>', 'write to this file')
    .addHelpText(
      'after',
      `
Examples:
  htsvault get demo/child.bam -o child.bam
  htsvault get demo/child.bam --part index -o child.bam.bai
  htsvault get demo/child.cram | samtools view -`,
    )
    .action(async (file: string, options: GetOptions) => (await import('./get.ts')).get(file, options))
}
