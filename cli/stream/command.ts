import { Command, InvalidArgumentError, Option } from 'commander'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import type { PassphraseOptions } from '../c4gh/passphrase.ts'

export interface StreamOptions extends PassphraseOptions {
  readonly server: string
  readonly region: readonly string[]
  readonly format?: Format
  readonly headerOnly?: boolean
  readonly fields?: readonly string[]
  readonly tags?: readonly string[]
  readonly notags?: readonly string[]
  readonly key?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly parallel: number
  readonly output?: string
  readonly force?: boolean
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value]
const list = (text: string): string[] => (text === '' ? [] : text.split(','))

function parallelism(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 32)
    throw new InvalidArgumentError('expected a whole number from 1 to 32')
  return value
}

/** `htsvault stream`: what an htsget server has for some regions, to standard output or to a file. */
export function streamCommand(): Command {
  return new Command('stream')
    .description('fetch a file, or regions of it, from this vault or any htsget server')
    .argument('<url|id>', 'the address of its tickets, https://HOST/reads/ID; or the id alone, with --server')
    .addOption(
      new Option('--server <url>', 'the server of an id')
        .env('HTSVAULT_SERVER')
        .default('http://127.0.0.1:8080'),
    )
    .option('-r, --region <region>', 'as samtools reads it; may be given several times', collect, [])
    .addOption(
      new Option('--format <format>', "default: the file's own").choices(['BAM', 'CRAM', 'VCF', 'BCF']),
    )
    .option('--header-only', 'the header without records')
    .option(
      '--fields <fields>',
      'only these columns: QNAME,FLAG,… (where the server can leave out others)',
      list,
    )
    .option('--tags <tags>', 'only these tags', list)
    .option('--notags <tags>', 'all tags but these', list)
    .option('-k, --key <file>', 'have it encrypted for this private key, and decrypt it here')
    .option(
      '--passphrase-file <file>',
      'first line unlocks the key (default $C4GH_PASSPHRASE, then the terminal)',
    )
    .option('--token-file <file>', 'a bearer token is its first line (default $HTSVAULT_TOKEN)')
    .option('--token <token>', 'the token itself: others on this machine can see it, better one of the above')
    .addOption(
      new Option('--parallel <n>', 'how many pieces are fetched at once').argParser(parallelism).default(4),
    )
    .option('-o, --output <file>', 'write to this file, which has its name once it is whole')
    .option('--force', 'overwrite an existing output')
    .addHelpText(
      'after',
      `
Regions: chr1, chr1:1,000-2,000 (1-based, both ends included), chr1:1,000 (to the end), chr1:-2,000, '*' (unplaced
reads), '{HLA-A*01:01}:1-200' for names with colons. Several are one request: every record comes once, in the order of
the file. What comes are whole blocks: samtools view and bcftools view choose the records.

Examples:
  htsvault stream demo/child --region chr1:10,000-20,000 | samtools view -
  htsvault stream demo/trio --format VCF | bcftools view -H -
  htsvault stream https://HOST/reads/study/NA12878 -r chr1 -r chr2:1-5M -o part.bam
  htsvault stream study/NA12878 --server https://HOST --key me.sec -o NA12878.bam

Exit codes: 0 done, 1 failed (the message ends in a stable code), 2 wrong usage, 141 whoever read the output left.`,
    )
    .action(async (target: string, options: StreamOptions, command: Command) => {
      if (options.headerOnly === true && options.region.length > 0)
        command.error('error: --header-only does not go with --region')
      if (options.token !== undefined && options.tokenFile !== undefined)
        command.error('error: give one of --token and --token-file')
      await (await import('./stream.ts')).stream(target, options)
    })
}
