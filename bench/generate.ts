/**
 * Makes the files that the benchmarks read, in bench/data (not committed; the same on every machine):
 *
 *     npx node bench/generate.ts [--scale S] [NAME…]
 *
 * NAME is any of: bam cram vcf bcf thin (all, unless told). `--scale 0.1` makes a tenth, named apart. What is there
 * already is kept. Needs samtools, bcftools and bgzip.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { benchFile, type BenchFile } from './generate/benchFile.ts'
import { generateBam, generateCram } from './generate/reads.ts'
import { generateBcf, generateVcf } from './generate/variants.ts'

const { values, positionals } = parseArgs({
  options: { scale: { type: 'string', default: '1' } },
  allowPositionals: true,
})
const scale = Number(values.scale)
if (!(scale > 0)) throw new RangeError('--scale is a number over 0')
const of = (name: BenchFile) => benchFile(name, scale)
const count = (whole: number) => Math.ceil(whole * scale)

/** In the order in which they need one another. */
const makers: Record<Exclude<BenchFile, 'fasta'>, () => Promise<void> | void> = {
  bam: () => generateBam({ bam: of('bam'), fasta: of('fasta'), reads: count(12_200_000) }),
  cram: async () => {
    await make('bam')
    generateCram(of('bam'), of('fasta'), of('cram'))
  },
  vcf: () => generateVcf({ vcf: of('vcf'), records: count(265_000), samples: 200 }),
  bcf: async () => {
    await make('vcf')
    generateBcf(of('vcf'), of('bcf'))
  },
  thin: () => generateVcf({ vcf: of('thin'), records: count(2_500_000), samples: 0 }),
}

async function make(name: keyof typeof makers): Promise<void> {
  if (existsSync(of(name))) return
  const start = performance.now()
  await makers[name]()
  const megabytes = (statSync(of(name)).size / 1e6).toFixed(1)
  console.log(`${of(name)}: ${megabytes} MB, made in ${((performance.now() - start) / 1000).toFixed(1)} s`)
}

mkdirSync(new URL('data', import.meta.url), { recursive: true })
const known = Object.keys(makers) as (keyof typeof makers)[]
const unknown = positionals.find(name => !known.some(each => each === name))
if (unknown !== undefined) throw new RangeError(`${unknown} is none of ${known.join(', ')}`)
for (const name of known) if (positionals.length === 0 || positionals.includes(name)) await make(name)
