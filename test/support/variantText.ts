import { seededRandom, type Random } from './random.ts'

export interface VariantTextOptions {
  readonly seed: number
  /** In the header's order; one without a length has none in its line, one with `header: false` no line at all. */
  readonly contigs: readonly { readonly name: string; readonly length?: number; readonly header?: boolean }[]
  /** Records a contig. */
  readonly records: number
  readonly samples?: number
  /** Mean distance between records, in bases. */
  readonly spacing?: number
  /** Where the first record of each contig may be, 1-based. */
  readonly from?: number
  /** Share of records that carry a symbolic allele with END, SVLEN or both. */
  readonly symbolic?: number
  readonly ending?: string
}

const format = ['GT:AD:DP:GQ:PL', 'GT']

/** The text of a sorted VCF file, the same for the same options on every machine. */
export function variantText(options: VariantTextOptions): string {
  const random = seededRandom(options.seed)
  const { contigs, records, samples = 0, spacing = 300, from = 1, ending = '\n' } = options
  const names = Array.from({ length: samples }, (_, i) => `S${i}`)
  const lines = [
    '##fileformat=VCFv4.2',
    '##FILTER=<ID=q10,Description="Quality below 10">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End position">',
    '##INFO=<ID=SVLEN,Number=.,Type=Integer,Description="Length of the event">',
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type of the event">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Allele depths">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">',
    ...contigs
      .filter(contig => contig.header !== false)
      .map(({ name, length }) => `##contig=<ID=${name}${length === undefined ? '' : `,length=${length}`}>`),
    ['#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO', ...(samples > 0 ? ['FORMAT', ...names] : [])].join(
      '\t',
    ),
  ]
  for (const { name } of contigs) {
    let position = from
    for (let i = 0; i < records; i++) {
      // Some share a position; some leave whole windows of the linear index empty.
      if (!random.chance(0.1))
        position += random.chance(0.01) ? random.below(spacing * 300) : random.below(2 * spacing)
      lines.push(
        `${name}\t${position}\t${site(random, position, options.symbolic ?? 0)}${genotypes(random, samples)}`,
      )
    }
  }
  return lines.join(ending) + ending
}

/** ID to INFO. */
function site(random: Random, position: number, symbolic: number): string {
  const info = `DP=${random.below(200)}`
  const bases = (longest: number) =>
    Array.from({ length: random.between(1, longest) }, () => random.pick('ACGT')).join('')
  if (random.chance(symbolic)) {
    const length = random.between(1, random.chance(0.1) ? 2_000_000 : 5000)
    const end = `END=${position + length - 1}`
    const svlen = `SVLEN=-${length}`
    const extent = random.pick([end, svlen, `${end};${svlen}`, `${svlen};${end}`, `SVTYPE=DEL;${end}`])
    return `.\t${random.pick('ACGT')}\t<DEL>\t.\tPASS\t${random.chance(0.5) ? `${info};${extent}` : extent}`
  }
  const ref = bases(random.chance(0.05) ? 300 : 3)
  return `rs${random.below(1e6)}\t${ref}\t${bases(3)}\t${random.below(100)}\t${random.pick(['PASS', 'q10', '.'])}\t${info}`
}

function genotypes(random: Random, samples: number): string {
  if (samples === 0) return ''
  const full = random.chance(0.8)
  let text = `\t${format[full ? 0 : 1]!}`
  for (let i = 0; i < samples; i++) {
    const genotype = `${random.below(2)}/${random.below(2)}`
    if (!full) text += `\t${genotype}`
    else {
      const [a, b] = [random.below(40), random.below(40)]
      text += `\t${genotype}:${a},${b}:${a + b}:${random.below(99)}:${random.below(500)},0,${random.below(500)}`
    }
  }
  return text
}
