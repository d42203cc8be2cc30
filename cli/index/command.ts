import { Command, Option } from 'commander'
import { threadsOption } from '../wholeNumber.ts'
import type { IndexOptions } from './indexFiles.ts'

/** `htsvault index`: the standard index of files, as samtools, bcftools and tabix make it. */
export function indexCommand(): Command {
  return new Command('index')
    .description('make the standard index of BAM, CRAM, VCF or BCF files, as samtools, bcftools and tabix do')
    .argument('<file...>', 'sorted BAM, CRAM, bgzipped VCF or BCF files; content counts, not names')
    .addOption(new Option('--format <kind>', 'the index to make').choices(['bai', 'csi', 'tbi', 'crai']))
    .option('-o, --output <file>', 'write it to this file (of one input), not beside the input')
    .addOption(threadsOption().default(undefined, 'as many as are worth it'))
    .addHelpText(
      'after',
      `
Unless --format tells: BAI of BAM, TBI of VCF, either CSI where positions pass 2^29; CSI of BCF, CRAI of CRAM.
The index of x.bam is x.bam.bai, and so on. One that is there is replaced, once the new one is whole.
It is the same for any number of threads; a pipe is read by one.

Examples:
  htsvault index x.bam                       x.bam.bai, as samtools index
  htsvault index --format csi x.bam          x.bam.csi, as samtools index -c
  htsvault index calls.vcf.gz                calls.vcf.gz.tbi, as tabix -p vcf
  htsvault index a.bam b.cram c.bcf          a.bam.bai, b.cram.crai, c.bcf.csi
  htsvault index x.bam -o /indexes/x.bai     elsewhere

Exit codes: 0 done, 1 no index for one file or more (each message ends in a stable code), 2 wrong usage.`,
    )
    .action(async (files: string[], options: IndexOptions, command: Command) => {
      if (options.output !== undefined && files.length > 1)
        command.error('error: --output goes with one input file')
      await (await import('./indexFiles.ts')).indexFiles(files, options)
    })
}
