import type { Random } from '#test/support/random.ts'
import { baseAt, basesOf, references, targets } from './genome.ts'

/** A site of the trio's VCF. */
export interface Site {
  readonly reference: number
  /** 0-based, of the first base of `ref`. */
  readonly position: number
  readonly ref: string
  /** Bases, or a symbolic allele. */
  readonly alt: string
  /** Length on the reference of a symbolic deletion. */
  readonly length?: number
  /** Child, mother, father: the allele (0 or 1) of each haplotype. */
  readonly genotypes: readonly [Genotype, Genotype, Genotype]
}

export type Genotype = readonly [number, number]

const sitesPerReference = [1500, 900, 350, 30]

/** The sites of the trio, in order of reference and position: more of them within the panel's targets. */
export function makeSites(random: Random): Site[] {
  return references.flatMap(({ length }, reference) => {
    const positions = new Set<number>()
    for (let i = 0; i < sitesPerReference[reference]!; i++) positions.add(random.between(200, length - 2000))
    for (const target of targets.filter(t => t.reference === reference))
      for (let i = 0; i < 4; i++) positions.add(random.between(target.start + 50, target.end - 50))
    const sorted = [...positions].sort((a, b) => a - b)
    // Indels take up to nine bases: sites nearer than that would overlap on a haplotype.
    const apart = sorted.filter((position, i) => i === 0 || position - sorted[i - 1]! > 10)
    return apart.map(position => makeSite(random, reference, position))
  })
}

function makeSite(random: Random, reference: number, position: number): Site {
  const anchor = baseAt(reference, position)
  const place = { reference, position, genotypes: inherit(random) }
  const kind = random.next()
  if (kind < 0.86) return { ...place, ref: anchor, alt: otherBase(random, anchor) }
  if (kind < 0.93) return { ...place, ref: anchor, alt: anchor + randomBases(random, random.between(1, 6)) }
  if (kind < 0.995)
    return { ...place, ref: basesOf(reference, position, position + random.between(2, 8)), alt: anchor }
  // Never within reads: the child's haplotypes are walked without structural variants.
  return { ...place, ref: anchor, alt: '<DEL>', length: random.between(300, 1800) }
}

/** Parents by the allele's frequency, the child by one haplotype of each; one site in 700 is new in the child. */
function inherit(random: Random): Site['genotypes'] {
  const frequency = 0.05 + 0.6 * random.next() ** 2
  const allele = () => (random.chance(frequency) ? 1 : 0)
  const mother: Genotype = [allele(), allele()]
  const father: Genotype = [allele(), allele()]
  const child: Genotype = [random.pick(mother), random.pick(father)]
  const seen = [...mother, ...father].includes(1)
  if (seen) return [child, mother, father]
  return random.chance(0.01) ? [[1, 0], mother, father] : [child, [1, 0], father]
}

const otherBase = (random: Random, base: string) => random.pick('ACGT'.replace(base, ''))

export function randomBases(random: Random, count: number): string {
  let bases = ''
  while (bases.length < count) bases += random.pick('ACGT')
  return bases
}

/** The VCF 4.2 text of the sites. */
export function vcfOf(sites: readonly Site[], random: Random): string {
  const header = [
    '##fileformat=VCFv4.2',
    '##source=htsvault demonstration: synthetic, no person',
    ...references.map(({ name, length }) => `##contig=<ID=${name},length=${length}>`),
    '##FILTER=<ID=PASS,Description="All filters passed">',
    '##FILTER=<ID=LowQual,Description="Quality below 30">',
    '##ALT=<ID=DEL,Description="Deletion">',
    '##INFO=<ID=AC,Number=A,Type=Integer,Description="Alternate alleles in called genotypes">',
    '##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles in called genotypes">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="Last position of a structural variant">',
    '##INFO=<ID=SVLEN,Number=A,Type=Integer,Description="Length of a structural variant">',
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type of a structural variant">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Read depth of each allele">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
    '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tdemo-child\tdemo-mother\tdemo-father',
  ]
  return [...header, ...sites.map((site, i) => vcfLine(site, i, random)), ''].join('\n')
}

function vcfLine(site: Site, number: number, random: Random): string {
  const { reference, position, ref, alt, length, genotypes } = site
  const quality = random.between(12, 2400)
  const samples = genotypes.map(([a, b]) => {
    const depth = Math.max(6, random.around(31, 6))
    const alternates = [0, Math.round(depth * (0.38 + 0.24 * random.next())), depth][a + b]!
    return `${a}/${b}:${depth - alternates},${alternates}:${depth}:${Math.min(99, depth * 3)}`.replace(
      '1/0',
      '0/1',
    )
  })
  const count = genotypes.flat().reduce((sum, allele) => sum + allele, 0)
  const structural = length === undefined ? '' : `;END=${position + 1 + length};SVLEN=${-length};SVTYPE=DEL`
  return [
    references[reference]!.name,
    position + 1,
    number % 3 === 0 ? `demo${number}` : '.',
    ref,
    alt,
    quality,
    quality < 30 ? 'LowQual' : 'PASS',
    `AC=${count};AN=6;DP=${random.around(93, 10)}${structural}`,
    'GT:AD:DP:GQ',
    ...samples,
  ].join('\t')
}
