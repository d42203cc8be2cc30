import { availableParallelism } from 'node:os'
import { Command, Option } from 'commander'
import { threadsOption, wholeNumber } from '../wholeNumber.ts'
import type { DecryptOptions } from './decrypt.ts'
import type { EncryptOptions } from './encrypt.ts'
import type { InspectOptions } from './inspect.ts'
import type { KeygenOptions } from './keygen.ts'
import type { RearrangeOptions } from './rearrange.ts'
import type { ReencryptOptions } from './reencrypt.ts'
import { parseRange } from './parseRange.ts'

const collect = <Value>(value: Value, before: readonly Value[] | undefined): Value[] => [
  ...(before ?? []),
  value,
]

const recipients = () =>
  new Option('-p, --recipient_pk <file>', "a reader's public key; may be given several times")
    .argParser(collect<string>)
    .default([], 'none')

const secretKeys = () =>
  new Option('-s, --sk <file>', 'your private key; may be given several times')
    .argParser(collect<string>)
    .default([], '$C4GH_SECRET_KEY')

const ranges = () =>
  new Option(
    '--range <start-end>',
    'bytes of the plain file, 0-based, end excluded; may be given several times',
  ).argParser((text: string, before: ReturnType<typeof parseRange>[] | undefined) =>
    collect(parseRange(text), before),
  )

const threads = () => threadsOption().default(Math.min(2, availableParallelism()))

const force = () => new Option('--force', 'overwrite existing outputs')
const outputDir = () => new Option('--output-dir <folder>', 'write into this folder, not beside each file')

const withPassphrase = (command: Command): Command =>
  command
    .option(
      '--passphrase-file <file>',
      'first line unlocks the private key (default $C4GH_PASSPHRASE, then the terminal)',
    )
    .addOption(
      new Option('--passphrase-fd <n>', 'the same from an open descriptor').argParser(wholeNumber(0, 1024)),
    )

/** `htsvault c4gh`: Crypt4GH files, as the reference command has them, and many files at once. */
export function c4ghCommand(): Command {
  const c4gh = new Command('c4gh')
    .description('Crypt4GH: make keys, encrypt, decrypt, re-encrypt, rearrange and inspect files')
    .showHelpAfterError('(add --help)')
    .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2))
    .addHelpText(
      'after',
      `
Without FILE, standard input is read and standard output written.

Examples:
  htsvault c4gh keygen --sk me.sec --pk me.pub
  htsvault c4gh encrypt -p me.pub -p you.pub x.cram      x.cram.c4gh, and x.cram.crai.c4gh where there is an index
  htsvault c4gh decrypt -s me.sec < x.c4gh > x
  htsvault c4gh reencrypt -s me.sec -p you.pub < x.c4gh > yours.c4gh
  htsvault c4gh rearrange -s me.sec --range 0-7853 --range 145110-453039 x.cram.c4gh > part.c4gh
  htsvault c4gh inspect -s me.sec x.cram.c4gh

Exit codes: 0 done, 1 failed for one file or more (each message ends in a stable code), 2 wrong usage.`,
    )

  withPassphrase(c4gh.command('keygen'))
    .description('make a key pair')
    .option('--sk <file>', 'where the private key goes', 'c4gh.sec')
    .option('--pk <file>', 'where the public key goes', 'c4gh.pub')
    .option('-C, --comment <text>', 'kept in the private key file')
    .option('--nocrypt', 'do not lock the private key with a passphrase')
    .addOption(force())
    .action(async (options: KeygenOptions) => (await import('./keygen.ts')).keygen(options))

  withPassphrase(c4gh.command('encrypt'))
    .description('encrypt files, each with its index, or a folder')
    .argument('[file...]', 'files or folders')
    .addOption(recipients().makeOptionMandatory())
    .option(
      '-s, --sk <file>',
      'your private key, so that readers can tell who wrote (default: a new one, forgotten)',
    )
    .option('--header <file>', 'write the header here (standard input only)')
    .option('--delete', 'delete each original once its result was read back and compared')
    .addOption(outputDir())
    .addOption(threads())
    .addOption(force())
    .action(async (files: string[], options: EncryptOptions, command: Command) => {
      if (options.recipient_pk.length === 0) command.error("error: give a reader's public key with -p FILE")
      if (options.header !== undefined && files.length > 0)
        command.error('error: --header goes with standard input')
      await (await import('./encrypt.ts')).encrypt(files, options)
    })

  withPassphrase(c4gh.command('decrypt'))
    .description('decrypt files, each with its index, or a folder')
    .argument('[file...]', 'files that end in .c4gh, or folders')
    .addOption(secretKeys())
    .option('--sender_pk <file>', 'take only what the owner of this public key wrote')
    .option('--header <file>', 'read the header here, the body from standard input')
    .addOption(ranges())
    .option('--delete', 'delete each original once its result was read back and compared')
    .addOption(outputDir())
    .addOption(threads())
    .addOption(force())
    .action(async (files: string[], options: DecryptOptions, command: Command) => {
      if (options.header !== undefined && files.length > 0)
        command.error('error: --header goes with standard input')
      if (options.range !== undefined && options.delete === true)
        command.error('error: --delete does not go with --range: the rest would be lost')
      await (await import('./decrypt.ts')).decrypt(files, options)
    })

  withPassphrase(c4gh.command('reencrypt'))
    .description('give files to other readers: a new header, the body as it is')
    .argument('[file...]', 'files, or folders of files that end in .c4gh')
    .addOption(secretKeys())
    .addOption(recipients())
    .option('-t, --trim', 'drop the other present readers')
    .option('--header-only', 'write the new header only')
    .addOption(outputDir())
    .addOption(force())
    .action(async (files: string[], options: ReencryptOptions, command: Command) => {
      if (options.recipient_pk.length === 0) command.error("error: give a reader's public key with -p FILE")
      await (await import('./reencrypt.ts')).reencrypt(files, options)
    })

  withPassphrase(c4gh.command('rearrange'))
    .description('keep only some ranges of a file, without decrypting it')
    .argument('[file]', 'one file')
    .addOption(ranges().makeOptionMandatory())
    .addOption(secretKeys())
    .addOption(recipients().default([], 'yourself'))
    .option('-o, --output <file>', 'write to this file, not to standard output')
    .addOption(force())
    .action(async (file: string | undefined, options: RearrangeOptions) =>
      (await import('./rearrange.ts')).rearrange(file, options),
    )

  withPassphrase(c4gh.command('inspect'))
    .description('tell what headers hold and for whom; no secret is shown')
    .argument('[file...]', 'files')
    .addOption(secretKeys().default([], 'none'))
    .option('--json', 'one JSON object a line')
    .action(async (files: string[], options: InspectOptions) =>
      (await import('./inspect.ts')).inspect(files, options),
    )

  return c4gh
}
