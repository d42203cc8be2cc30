import { Command } from 'commander'
import { type StackOptions, withStack } from './stackOptions.ts'

export interface KeysOptions extends StackOptions {
  /** A local vault's folder; without it, the vault on AWS. */
  readonly data?: string
}

export interface SubjectOptions extends KeysOptions {
  readonly issuer: string
  readonly subject: string
}

const withVault = (command: Command): Command =>
  withStack(command).option('--data <dir>', 'a local vault, in this folder (default: the one on AWS)')

const withSubject = (command: Command): Command =>
  withVault(command)
    .requiredOption('--issuer <url>', "the `iss` of the person's tokens")
    .requiredOption('--subject <id>', 'their `sub`')

const load = () => import('./keys.ts')

/** `htsvault admin keys`: for which Crypt4GH keys the tickets of a person are encrypted. */
export function keysCommand(): Command {
  const keys = new Command('keys')
    .description('register the Crypt4GH keys for which htsget answers to a person are encrypted')
    .addHelpText(
      'after',
      `
Examples:
  htsvault admin keys add --issuer https://login.elixir.org --subject 7a3f@elixir.org alice.pub
  htsvault admin keys list --data .htsvault
  htsvault admin keys remove --issuer https://login.elixir.org --subject 7a3f@elixir.org`,
    )
  return keys
    .addCommand(
      withSubject(new Command('add'))
        .description('add a key to those of a person')
        .argument('<key>', 'the .pub file')
        .action(async (key: string, options: SubjectOptions) => (await load()).addKey(key, options)),
    )
    .addCommand(
      withVault(new Command('list'))
        .description('tell who has registered which keys: issuer, subject, key')
        .action(async (options: KeysOptions) => (await load()).listKeys(options)),
    )
    .addCommand(
      withSubject(new Command('remove'))
        .description('remove a key of a person, or all of them')
        .argument('[key]', 'the .pub file')
        .action(async (key: string | undefined, options: SubjectOptions) =>
          (await load()).removeKeys(key, options),
        ),
    )
}
