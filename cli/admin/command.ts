import { Command } from 'commander'
import { keysCommand } from './keysCommand.ts'
import { redriveCommand } from './redriveCommand.ts'
import { rekeyCommand, rotateKeyCommand } from './rekeyCommands.ts'

/** The subcommands of `htsvault admin`; each loads what it does when it is called. */
const subcommands: readonly (() => Command)[] = [redriveCommand, keysCommand, rotateKeyCommand, rekeyCommand]

/** `htsvault admin`: what an operator does with a vault. */
export function adminCommand(): Command {
  const admin = new Command('admin').description('look after a vault')
  for (const subcommand of subcommands) admin.addCommand(subcommand())
  return admin
}
