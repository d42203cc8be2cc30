import { Command, InvalidArgumentError, Option } from 'commander'
import { dataOption } from '../dataOption.ts'
import { wholeNumber } from '../wholeNumber.ts'

export interface ServeOptions {
  readonly port: number
  readonly data: string
  readonly demo: boolean
  /** Of web pages elsewhere that may read the vault. */
  readonly origin: readonly string[]
  readonly oidcIssuer?: string
  readonly oidcAudience?: string
  /** A file with the settings of the issuers. */
  readonly oidc?: string
  /** Worker threads that share a large file; 1: it is taken in by one pass. */
  readonly workers: number
  /** From how many MB on a file is large. */
  readonly largeFrom: number
}

/** `htsvault serve`, which is `npm start`: a vault on this machine. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run a vault on this machine: an inbox, the vault, and its htsget endpoint')
    .option('--port <port>', 'listen on this port of 127.0.0.1 (0: any that is free)', parsePort, 8080)
    .addOption(dataOption())
    .option('--no-demo', 'do not put the demonstration files into a new vault')
    .option(
      '--origin <url>',
      'let web pages from here read the vault, such as https://igv.org; can be repeated (without tokens, only pages of this machine may)',
      parseOrigin,
      [] as readonly string[],
    )
    .option(
      '--workers <n>',
      'take in large files by shards, on so many threads (some 80 MB of memory each)',
      wholeNumber(1, 64),
      1,
    )
    .option(
      '--large-from <MB>',
      'from so many million bytes on a file is large',
      wholeNumber(1, 1_000_000),
      256,
    )
    .addOption(
      new Option(
        '--oidc-issuer <url>',
        'nobody reads without a token of this OIDC issuer (docs/access.md)',
      ).env('HTSVAULT_OIDC_ISSUER'),
    )
    .addOption(
      new Option('--oidc-audience <name>', 'the audience that its tokens are to name').env(
        'HTSVAULT_OIDC_AUDIENCE',
      ),
    )
    .addOption(
      new Option('--oidc <file>', 'the same of several issuers, and all that can be set, as JSON')
        .env('HTSVAULT_OIDC')
        .conflicts(['oidcIssuer', 'oidcAudience']),
    )
    .addHelpText(
      'after',
      `
Examples:
  npm start                                   or: npx htsvault serve
  npm start -- --port 8081 --data /big/vault --no-demo
  npm start -- --workers 8                    genomes of tens of GB, on a machine with cores to spare
  npm start -- --oidc-issuer https://login.example.org/realms/lab --oidc-audience htsvault

Upload by copying a file to <dir>/inbox/<dataset>/, or:
  curl -T sample.bam http://127.0.0.1:8080/inbox/study/sample.bam`,
    )
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./serve.ts')
      await serve(options)
    })
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65535)
    throw new InvalidArgumentError('It is to be a number from 0 to 65535.')
  return port
}

function parseOrigin(text: string, others: readonly string[]): readonly string[] {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.origin !== text.replace(/\/$/, '').toLowerCase())
    throw new InvalidArgumentError('It is to be https:// and a name, without a path.')
  return [...others, url.origin]
}
