import { Command } from 'commander'
import { HtsvaultError } from '#shared/errors.ts'
import { adminCommand } from './admin/command.ts'
import { c4ghCommand } from './c4gh/command.ts'
import { checkCommand } from './check/command.ts'
import { getCommand } from './get/command.ts'
import { indexCommand } from './index/command.ts'
import { serveCommand } from './serve/command.ts'
import { streamCommand } from './stream/command.ts'
import { printError } from './printError.ts'

const program = new Command('htsvault')
  .description(
    'A vault for genomic files: upload BAM, CRAM, VCF or BCF; query by region with any htsget client.',
  )
  .version('0.1.0')
  .addCommand(serveCommand())
  .addCommand(getCommand())
  .addCommand(streamCommand())
  .addCommand(indexCommand())
  .addCommand(checkCommand())
  .addCommand(c4ghCommand())
  .addCommand(adminCommand())
  .addHelpText(
    'after',
    `
Examples:
  htsvault serve                             a vault on this machine, with small demonstration files
  htsvault serve --port 8080 --data DIR      its files in DIR
  htsvault get demo/child.bam > copy.bam     a file out of the vault, decrypted
  htsvault stream demo/child -r chr1:1-20k   regions of a file, from any htsget server
  htsvault check x.bam                       whether the vault takes it, and what is in it
  htsvault index x.bam calls.vcf.gz          x.bam.bai and calls.vcf.gz.tbi
  htsvault c4gh encrypt -p bob.pub x.bam     encrypt a file and its index

Exit codes: 0 done, 1 failed (the message says what to do), 2 wrong usage.`,
  )
  .showHelpAfterError('(htsvault --help tells more)')
  .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2))
inherit(program)

/** A command that was made apart takes over how wrong usage is told, and its exit code. */
function inherit(parent: Command): void {
  for (const child of parent.commands) inherit(child.copyInheritedSettings(parent))
}

try {
  await program.parseAsync()
} catch (error) {
  printError(error)
  process.exitCode = error instanceof HtsvaultError ? 1 : 70
}
