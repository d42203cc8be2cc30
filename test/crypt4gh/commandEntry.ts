/** `htsvault c4gh` by itself, as cli/htsvault.js runs it. */
import { c4ghCommand } from '#cli/c4gh/command.ts'
import { printError } from '#cli/printError.ts'
import { HtsvaultError } from '#shared/errors.ts'

try {
  await c4ghCommand().parseAsync()
} catch (error) {
  printError(error)
  process.exitCode = error instanceof HtsvaultError ? 1 : 70
}
