import type { Random } from '#test/support/random.ts'
import { baseAt, references, targets } from './genome.ts'
import type { Site } from './variants.ts'
import { randomBases } from './variants.ts'

const readLength = 150

const flags = { paired: 1, proper: 2, unmapped: 4, mateUnmapped: 8, reverse: 16, mateReverse: 32, first: 64, last: 128, duplicate: 1024 } // prettier-ignore

interface Alignment {
  readonly position: number
  readonly end: number
  readonly cigar: string
  readonly bases: string
  readonly mismatches: string
  readonly distance: number
}

interface Read {
  readonly reference: number
  readonly position: number
  readonly line: string
}

/** The child's reads as coordinate-sorted SAM text: pairs over the panel, then those that found no place. */
export function samOf(sites: readonly Site[], random: Random): string {
  const header = [
    '@HD\tVN:1.6\tSO:coordinate',
    ...references.map(({ name, length }) => `@SQ\tSN:${name}\tLN:${length}`),
    '@RG\tID:lane1\tSM:demo-child\tPL:ILLUMINA\tLB:demo-lib\tPU:HDEMO.1',
    '@RG\tID:lane2\tSM:demo-child\tPL:ILLUMINA\tLB:demo-lib\tPU:HDEMO.2',
    '@CO\thtsvault demonstration: synthetic, no person',
  ]
  const haplotypes = [0, 1].map(which => new Map(carried(sites, which).map(site => [key(site), site])))
  const placed: Read[] = []
  for (const target of targets) {
    const pairs = Math.round(((target.end - target.start) * 17) / (2 * readLength))
    for (let i = 0; i < pairs; i++)
      placed.push(...makePair(random, target, haplotypes[random.below(2)]!, nameOf(random)))
  }
  placed.sort((a, b) => a.reference - b.reference || a.position - b.position)
  const unplaced = Array.from({ length: 40 }, () => makeUnplaced(random, nameOf(random))).flat()
  return [...header, ...placed.map(read => read.line), ...unplaced, ''].join('\n')
}

const key = ({ reference, position }: Site) => reference * 2 ** 32 + position

const carried = (sites: readonly Site[], haplotype: number) =>
  sites.filter(site => site.length === undefined && site.genotypes[0][haplotype] === 1)

const nameOf = (random: Random) =>
  `HDEMO:${random.between(1, 2)}:${random.between(1101, 1108)}:${random.between(1000, 30000)}:${random.between(1000, 30000)}`

function makePair(
  random: Random,
  target: (typeof targets)[number],
  haplotype: ReadonlyMap<number, Site>,
  name: string,
): Read[] {
  const { reference } = target
  const last = references[reference]!.length - 2 * readLength
  const insert = Math.max(readLength + 20, random.around(340, 40))
  const start = Math.min(last - insert, Math.max(0, random.between(target.start - 150, target.end - 150)))
  const left = align(random, reference, start, haplotype)
  const right = align(random, reference, start + insert - readLength, haplotype)
  const forward = random.chance(0.5)
  const duplicate = random.chance(0.03) ? flags.duplicate : 0
  const length = right.end - left.position
  const mapq = random.chance(0.9) ? 60 : random.between(0, 59)
  const strand = forward ? [flags.first, flags.last] : [flags.last, flags.first]
  if (random.chance(0.015)) return mateLost(random, reference, left, name, strand[0]!, strand[1]!)
  const both = flags.paired | flags.proper | duplicate
  return [
    samRead(random, { name, reference, mapq, alignment: left, flag: both | flags.mateReverse | strand[0]!, mate: right, length }), // prettier-ignore
    samRead(random, { name, reference, mapq, alignment: right, flag: both | flags.reverse | strand[1]!, mate: left, length: -length }), // prettier-ignore
  ]
}

/** The mate of a mapped read that found no place itself stands at that read's (SAMv1 §2.4, recommended practice). */
function mateLost(
  random: Random,
  reference: number,
  found: Alignment,
  name: string,
  own: number,
  other: number,
) {
  const { name: rname } = references[reference]!
  const flag = flags.paired | flags.unmapped | other
  const place = `${rname}\t${found.position + 1}\t0\t*\t=\t${found.position + 1}\t0`
  const lost = `${name}\t${flag}\t${place}\t${randomBases(random, readLength)}\t${qualities(random)}\tRG:Z:lane1`
  return [
    samRead(random, { name, reference, mapq: 60, alignment: found, flag: flags.paired | flags.mateUnmapped | own, mate: found, length: 0 }), // prettier-ignore
    { reference, position: found.position, line: lost },
  ]
}

function makeUnplaced(random: Random, name: string): string[] {
  const flag = flags.paired | flags.unmapped | flags.mateUnmapped
  return [flags.first, flags.last].map(
    which =>
      `${name}\t${flag | which}\t*\t0\t0\t*\t*\t0\t0\t${randomBases(random, readLength)}\t${qualities(random)}\tRG:Z:lane2`,
  )
}

interface SamFields {
  readonly name: string
  readonly reference: number
  readonly mapq: number
  readonly alignment: Alignment
  readonly flag: number
  readonly mate: Alignment
  readonly length: number
}

function samRead(random: Random, fields: SamFields): Read {
  const { name, reference, mapq, alignment, flag, mate, length } = fields
  const { position, cigar, bases, mismatches, distance } = alignment
  const lane = name.startsWith('HDEMO:1') ? 'lane1' : 'lane2'
  const line = [
    name,
    flag,
    references[reference]!.name,
    position + 1,
    mapq,
    cigar,
    '=',
    mate.position + 1,
    length,
    bases,
    qualities(random),
    `NM:i:${distance}`,
    `MD:Z:${mismatches}`,
    `AS:i:${readLength - 5 * distance}`,
    `RG:Z:${lane}`,
  ].join('\t')
  return { reference, position, line }
}

/** Walks a haplotype along the reference from `start` (0-based): the read that a sequencer would give. */
function align(
  random: Random,
  reference: number,
  start: number,
  haplotype: ReadonlyMap<number, Site>,
): Alignment {
  const clip = random.chance(0.04) ? random.between(5, 30) : 0
  const wanted = readLength - clip
  const operations: [number, string][] = []
  const add = (count: number, operation: string) => {
    const tail = operations.at(-1)
    if (tail?.[1] === operation) tail[0] += count
    else if (count > 0) operations.push([count, operation])
  }
  let bases = ''
  let position = start
  let matched = 0
  let mismatches = ''
  let distance = 0
  while (bases.length < wanted) {
    const site = haplotype.get(reference * 2 ** 32 + position)
    const expected = baseAt(reference, position)
    const substituted = site?.ref.length === 1 && site.alt.length === 1 ? site.alt : expected
    const read = random.chance(0.002) ? random.pick('ACGT') : substituted
    bases += read
    position++
    add(1, 'M')
    if (read === expected) matched++
    else {
      mismatches += `${matched}${expected}`
      matched = 0
      distance++
    }
    if (site === undefined || bases.length >= wanted) continue
    const inserted = site.alt.slice(1, 1 + wanted - bases.length)
    if (site.ref.length === 1 && inserted !== '') {
      bases += inserted
      add(inserted.length, 'I')
      distance += inserted.length
    }
    const deleted = site.ref.slice(1)
    if (deleted !== '') {
      add(deleted.length, 'D')
      position += deleted.length
      distance += deleted.length
      mismatches += `${matched}^${deleted}`
      matched = 0
    }
  }
  add(clip, 'S')
  return {
    position: start,
    end: position,
    cigar: operations.map(([count, operation]) => `${count}${operation}`).join(''),
    bases: bases + randomBases(random, clip),
    mismatches: `${mismatches}${matched}`,
    distance,
  }
}

/** Binned to four levels as current sequencers do, worse towards the end of the read. */
function qualities(random: Random): string {
  let text = ''
  for (let i = 0; i < readLength; i++) {
    const bad = random.next() * (1 + i / 100)
    text += bad < 1 ? 'F' : bad < 1.5 ? ':' : bad < 2.2 ? ',' : '#'
  }
  return text
}
