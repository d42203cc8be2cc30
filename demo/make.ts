/**
 * Makes the demonstration files: `npx node demo/make.ts` (needs samtools and bcftools 1.16 or newer).
 *
 * One seed, one family: the reads of a child as BAM and CRAM, the variants of child, mother and father as VCF and
 * BCF. Where the reads are, they carry the child's variants. No person's data is in them.
 */
import { execFileSync } from 'node:child_process'
import { seededRandom } from '#test/support/random.ts'
import { samOf } from './make/reads.ts'
import { makeSites, vcfOf } from './make/variants.ts'

const random = seededRandom(20260101)
const sites = makeSites(random)
const vcf = vcfOf(sites, random)
const sam = samOf(sites, random)

const make = (input: string, name: string, command: string, ...args: string[]) =>
  // Where it is made stands in a CRAM's file id: its own name, no path.
  execFileSync(command, [...args, '-o', name, '-'], { input, cwd: import.meta.dirname })

make(sam, 'child.bam', 'samtools', 'view', '--no-PG', '-O', 'bam,level=9')
// no_ref: the bases are in the file, so that any client reads it without a FASTA and without the network.
make(
  sam,
  'child.cram',
  'samtools',
  'view',
  '--no-PG',
  '-O',
  'cram,version=3.0,no_ref=1,seqs_per_slice=400,level=9',
)
make(vcf, 'trio.vcf.gz', 'bcftools', 'view', '--no-version', '-Oz9')
make(vcf, 'trio.bcf', 'bcftools', 'view', '--no-version', '-Ob9')
