import { spawnSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { seededRandom, type Random } from '#test/support/random.ts'
import { TextPipe } from './TextPipe.ts'

const length = 150
const depth = 30
/** Nothing reaches further ahead than the end of a fragment. */
const ring = 1024

export interface ReadsOptions {
  readonly bam: string
  readonly fasta: string
  readonly reads: number
}

/** Paired reads of 150 bases at 30x over three references, sorted as they are made. */
export async function generateBam({ bam, fasta, reads }: ReadsOptions): Promise<void> {
  const random = seededRandom(101)
  const bases = Math.ceil((reads * length) / depth)
  const genome = makeGenome(random, bases)
  const references = [0.5, 0.3, 0.2].map((share, i) => ({
    name: `chr${i + 1}`,
    length: Math.floor(bases * share),
  }))
  writeFasta(fasta, genome, references)
  const pipe = new TextPipe(bam, 'samtools', ['view', '--no-PG', '-b', '-@2', '-'])
  pipe.text('@HD\tVN:1.6\tSO:coordinate\n')
  for (const { name, length } of references) pipe.text(`@SQ\tSN:${name}\tLN:${length}\n`)
  pipe.text('@RG\tID:lane1\tSM:bench\tPL:ILLUMINA\n')
  const qualities = makeQualities(random)
  let start = 0
  for (const reference of references) {
    const sequence = genome.subarray(start, start + reference.length)
    await writeReads(pipe, random, reference.name, sequence, qualities)
    start += reference.length
  }
  await writeUnplaced(pipe, random, genome, qualities, Math.ceil(reads / 200))
  await pipe.end()
}

/** Three fifths of the pairs as CRAM 3.0; the reference is the FASTA, which stays needed for the bases. */
export function generateCram(bam: string, fasta: string, cram: string): void {
  const args = [
    'view',
    '--no-PG',
    '-@2',
    '-s',
    '7.6',
    '-T',
    fasta,
    '-O',
    'cram,version=3.0',
    '-o',
    `${cram}.part`,
    bam,
  ]
  const { status } = spawnSync('samtools', args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`samtools ended with ${String(status)}`)
  renameSync(`${cram}.part`, cram)
}

function makeGenome(random: Random, size: number): Uint8Array {
  const genome = new Uint8Array(size)
  for (let i = 0; i < size; i++) genome[i] = 'ACGT'.charCodeAt(random.below(4))
  return genome
}

/** Eight million qualities that walk as a sequencer's do: mostly the best, falling in runs. */
function makeQualities(random: Random): Uint8Array {
  const pool = new Uint8Array(1 << 23)
  let level = 38
  for (let i = 0; i < pool.length; i++) {
    if (random.chance(0.3)) level += random.between(-6, 6)
    if (random.chance(0.08)) level = 38
    level = Math.max(2, Math.min(40, level))
    pool[i] = 33 + level
  }
  return pool
}

interface Mate {
  readonly name: number
  readonly start: number
  readonly mate: number
  readonly mapq: number
}

async function writeReads(
  pipe: TextPipe,
  random: Random,
  name: string,
  sequence: Uint8Array,
  qualities: Uint8Array,
) {
  const waiting: Mate[][] = Array.from({ length: ring }, () => [])
  const last = sequence.length - ring
  // Fragments a base, so that two reads of each make the depth.
  const density = depth / (2 * length)
  let number = 0
  for (let position = 0; position < sequence.length - length; position++) {
    const place = waiting[position % ring]!
    for (const mate of place) writeRead(pipe, random, name, sequence, qualities, mate, 147)
    place.length = 0
    if (position < last && random.next() < density) {
      const mate = position + Math.max(length, Math.min(ring - 1, random.around(380, 70)))
      const mapq = random.chance(0.9) ? 60 : random.below(60)
      const own = { name: number++, start: position, mate, mapq }
      writeRead(pipe, random, name, sequence, qualities, own, 99)
      waiting[mate % ring]!.push({ ...own, start: mate, mate: position })
    }
    const full = pipe.ready()
    if (full) await full
  }
}

const tab = 9

function writeRead(
  pipe: TextPipe,
  random: Random,
  reference: string,
  sequence: Uint8Array,
  qualities: Uint8Array,
  read: Mate,
  flag: number,
): void {
  const { name, start, mate, mapq } = read
  writeName(pipe, reference, name)
  pipe.number(flag)
  pipe.byte(tab)
  pipe.text(reference)
  pipe.byte(tab)
  pipe.number(start + 1)
  pipe.byte(tab)
  pipe.number(mapq)
  const kind = random.next()
  const gap = kind < 0.02 && start + length + 3 < sequence.length
  pipe.text(gap ? '\t70M3D80M\t=\t' : kind > 0.97 ? '\t12S138M\t=\t' : '\t150M\t=\t')
  pipe.number(mate + 1)
  pipe.text(mate < start ? '\t-' : '\t')
  pipe.number(Math.abs(mate - start) + length)
  pipe.byte(tab)
  const at = pipe.at
  if (gap) {
    pipe.copy(sequence, start, start + 70)
    pipe.copy(sequence, start + 73, start + length + 3)
  } else if (kind > 0.97) {
    // The first twelve bases are clipped: they come from elsewhere, and POS is that of the thirteenth.
    const elsewhere = random.below(sequence.length - 12)
    pipe.copy(sequence, elsewhere, elsewhere + 12)
    pipe.copy(sequence, start, start + 138)
  } else pipe.copy(sequence, start, start + length)
  let mismatches = 0
  while (random.chance(0.3) && mismatches < 5) {
    pipe.bytes[at + random.below(length)] = 'ACGT'.charCodeAt(random.below(4))
    mismatches++
  }
  pipe.byte(tab)
  const from = random.below(qualities.length - length)
  pipe.copy(qualities, from, from + length)
  pipe.text('\tRG:Z:lane1\tAS:i:')
  pipe.number(length - 5 * mismatches)
  pipe.text('\tXS:i:')
  pipe.number(random.below(60))
  pipe.byte(10)
}

/** Tile and coordinates follow from the number by a hash: names look as a sequencer's do, and mates share them. */
function writeName(pipe: TextPipe, reference: string, number: number): void {
  const mixed = Math.imul(number + 1, 0x9e3779b1) >>> 0
  pipe.text('HBENCH:7:')
  pipe.text(reference)
  pipe.byte(58)
  pipe.number(1101 + (mixed & 63))
  pipe.byte(58)
  pipe.number((mixed >>> 6) & 0x7fff)
  pipe.byte(58)
  pipe.number(number)
  pipe.byte(tab)
}

async function writeUnplaced(
  pipe: TextPipe,
  random: Random,
  genome: Uint8Array,
  qualities: Uint8Array,
  pairs: number,
) {
  for (let i = 0; i < 2 * pairs; i++) {
    writeName(pipe, 'none', i >> 1)
    pipe.text(i % 2 === 0 ? '77\t*\t0\t0\t*\t*\t0\t0\t' : '141\t*\t0\t0\t*\t*\t0\t0\t')
    const base = random.below(genome.length - length)
    pipe.copy(genome, base, base + length)
    pipe.byte(tab)
    const from = random.below(qualities.length - length)
    pipe.copy(qualities, from, from + length)
    pipe.text('\tRG:Z:lane1\n')
    const full = pipe.ready()
    if (full) await full
  }
}

function writeFasta(
  path: string,
  genome: Uint8Array,
  references: readonly { name: string; length: number }[],
): void {
  const latin1 = new TextDecoder('latin1')
  let start = 0
  const lines: string[] = []
  for (const { name, length } of references) {
    lines.push(`>${name}`)
    for (let at = start; at < start + length; at += 100)
      lines.push(latin1.decode(genome.subarray(at, Math.min(at + 100, start + length))))
    start += length
  }
  writeFileSync(path, `${lines.join('\n')}\n`)
}
