import { join } from 'node:path'

/** The files of the benchmarks, by a short name. */
const files = {
  bam: 'reads.bam',
  cram: 'reads.cram',
  fasta: 'genome.fa',
  vcf: 'samples.vcf.gz',
  bcf: 'samples.bcf',
  thin: 'thin.vcf.gz',
} as const

export type BenchFile = keyof typeof files

/** Where a file of the benchmarks is, or will be once `generate.ts` has made it. */
export function benchFile(name: BenchFile, scale = 1): string {
  const prefix = scale === 1 ? '' : `${scale}-`
  return join(import.meta.dirname, '..', 'data', prefix + files[name])
}
