import { spawnSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { seededRandom, type Random } from '#test/support/random.ts'
import { TextPipe } from './TextPipe.ts'

const contigs = [
  { name: 'chr1', length: 248_956_422, share: 0.4 },
  { name: 'chr2', length: 242_193_529, share: 0.4 },
  { name: 'chr22', length: 50_818_468, share: 0.2 },
]

export interface VariantsOptions {
  readonly vcf: string
  readonly records: number
  readonly samples: number
}

/** Sorted variants over three contigs: with samples, GT:AD:DP:GQ:PL of each; without, thin lines. */
export async function generateVcf({ vcf, records, samples }: VariantsOptions): Promise<void> {
  const random = seededRandom(202 + samples)
  const pipe = new TextPipe(vcf, 'bgzip', ['-c', '-@2'])
  pipe.text(headerOf(samples))
  const cells = makeCells(random)
  for (const { name, length, share } of contigs) {
    const count = Math.ceil(records * share)
    const spacing = Math.floor(length / count)
    let position = 1
    for (let i = 0; i < count; i++) {
      position += random.below(2 * spacing - 1) + (i % 2)
      if (position > length - 100) break
      writeLine(pipe, random, name, position, samples, cells)
      const full = pipe.ready()
      if (full) await full
    }
  }
  await pipe.end()
}

/** The same variants as BCF. */
export function generateBcf(vcf: string, bcf: string): void {
  const { status } = spawnSync(
    'bcftools',
    ['view', '--no-version', '-Ob', '--threads', '2', '-o', `${bcf}.part`, vcf],
    { stdio: 'inherit' },
  )
  if (status !== 0) throw new Error(`bcftools ended with ${String(status)}`)
  renameSync(`${bcf}.part`, bcf)
}

function headerOf(samples: number): string {
  const columns = ['#CHROM', 'POS', 'ID', 'REF', 'ALT', 'QUAL', 'FILTER', 'INFO']
  if (samples > 0) columns.push('FORMAT', ...Array.from({ length: samples }, (_, i) => `S${1000 + i}`))
  return [
    '##fileformat=VCFv4.2',
    '##FILTER=<ID=PASS,Description="All filters passed">',
    ...contigs.map(({ name, length }) => `##contig=<ID=${name},length=${length}>`),
    '##INFO=<ID=AC,Number=A,Type=Integer,Description="Alternate alleles">',
    '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency of alternate alleles">',
    '##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allele depths">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">',
    `${columns.join('\t')}\n`,
  ].join('\n')
}

/** What a sample's column may hold, 4,096 of each genotype: with depths and likelihoods that go with it. */
function makeCells(random: Random): Buffer[][] {
  return [0, 1, 2].map(genotype =>
    Array.from({ length: 4096 }, () => {
      const depth = Math.max(4, random.around(32, 7))
      const alternate = [0, Math.round(depth * (0.3 + 0.4 * random.next())), depth][genotype]!
      const likelihoods = [
        [0, depth * 3, depth * 40 + random.below(90)],
        [alternate * 33 + random.below(60), 0, (depth - alternate) * 33 + random.below(60)],
        [depth * 40 + random.below(90), depth * 3, 0],
      ][genotype]!
      const text = ['0/0', '0/1', '1/1'][genotype]!
      return Buffer.from(`\t${text}:${depth - alternate},${alternate}:${depth}:${random.between(20, 99)}:${likelihoods.join(',')}`) // prettier-ignore
    }),
  )
}

function writeLine(
  pipe: TextPipe,
  random: Random,
  contig: string,
  position: number,
  samples: number,
  cells: Buffer[][],
): void {
  const ref = random.below(4)
  const frequency = random.next() ** 4
  pipe.text(contig)
  pipe.byte(9)
  pipe.number(position)
  if (random.chance(0.7)) {
    pipe.text('\trs')
    pipe.number(random.below(1_500_000_000))
    pipe.byte(9)
  } else pipe.text('\t.\t')
  pipe.byte('ACGT'.charCodeAt(ref))
  if (random.chance(0.08)) pipe.text('TTG'.slice(random.below(3)))
  pipe.byte(9)
  pipe.byte('ACGT'.charCodeAt((ref + 1 + random.below(3)) & 3))
  pipe.byte(9)
  pipe.number(30 + random.below(3000))
  const alleles = 2 * (samples === 0 ? 2504 : samples)
  const count = Math.max(1, Math.round(alleles * frequency))
  pipe.text('\tPASS\tAC=')
  pipe.number(count)
  pipe.text(`;AF=${(count / alleles).toPrecision(3)};AN=`)
  pipe.number(alleles)
  pipe.text(';DP=')
  pipe.number(Math.round((alleles / 2) * (28 + 8 * random.next())))
  if (samples > 0) {
    pipe.text('\tGT:AD:DP:GQ:PL')
    for (let i = 0; i < samples; i++) {
      const genotype = (random.next() < frequency ? 1 : 0) + (random.next() < frequency ? 1 : 0)
      const cell = cells[genotype]![random.below(4096)]!
      // Short copies: a loop is faster here than a call of Buffer.copy.
      const { bytes, at } = pipe
      for (let j = 0; j < cell.length; j++) bytes[at + j] = cell[j]!
      pipe.at = at + cell.length
    }
  }
  pipe.byte(10)
}
