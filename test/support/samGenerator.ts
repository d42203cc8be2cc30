import { seededRandom } from './random.ts'

export interface SamOptions {
  readonly seed: number
  readonly references: readonly (readonly [name: string, length: number])[]
  /** Reads on each reference that has any. */
  readonly reads: number
  /** Reads without a position, at the end. */
  readonly unplaced?: number
  /** How likely a reference has no reads. */
  readonly bare?: number
  /** Bases of the longest reads; most have some 100. */
  readonly longest?: number
  /** Adds a read of so many CIGAR operations to each reference; over 65,535 go to the CG tag. */
  readonly manyOperations?: number
}

/** A SAM file, sorted by coordinate, of reads of all sorts: spliced, clipped, unmapped, without CIGAR or sequence. */
export function samText(options: SamOptions): string {
  const { references, reads, unplaced = 0, bare = 0.2, longest = 100, manyOperations = 0 } = options
  const numbers = seededRandom(options.seed)
  const random = () => numbers.next()
  const below = (n: number) => numbers.below(n)
  const lines = [
    '@HD\tVN:1.6\tSO:coordinate',
    ...references.map(([name, length]) => `@SQ\tSN:${name}\tLN:${length}`),
  ]
  const letters = (n: number, of: string) => {
    let out = ''
    for (let i = 0; i < n; i++) out += of[below(of.length)]!
    return out
  }
  let id = 0
  const line = (flag: number, name: string, pos: number, cigar: string, bases: number) => {
    const stored = bases > 0 && random() < 0.95
    const sequence = stored ? letters(bases, 'ACGT') : '*'
    const quality = stored && random() < 0.9 ? letters(bases, 'FF:,#') : '*'
    const tags = [
      `NM:i:${below(70_000)}`,
      `MD:Z:${below(99)}`,
      `XA:A:x`,
      `XB:B:s,1,-2,${below(9)}`,
      `XH:H:1AE3`,
      `XF:f:0.5`,
    ]
    lines.push(
      [
        `r${id++}`,
        flag,
        name,
        pos,
        below(61),
        cigar,
        '*',
        0,
        0,
        sequence,
        quality,
        ...tags.slice(below(tags.length)),
      ].join('\t'),
    )
  }
  for (const [name, length] of references) {
    if (random() < bare) continue
    // Clusters and gaps, so that small and large bins, shared windows and empty ones come about.
    let pos = 1 + below(length / 4)
    const step = length / reads
    for (let i = 0; i < reads && pos < length; i++) {
      const kind = random()
      const bases = kind < 0.02 ? 1 + below(longest) : 20 + below(100)
      if (kind < 0.06) line(4, name, pos, '*', bases)
      else if (kind < 0.09) line(0, name, pos, '*', bases)
      else if (kind < 0.12) line(16, name, pos, `${bases}S`, bases)
      else if (kind < 0.2)
        line(
          0,
          name,
          pos,
          `5S${bases}M${1 + below(Math.min(length - pos + 1, 3 * 10 ** below(7)))}N7M3I`,
          bases + 15,
        )
      else line(0, name, pos, `${bases}M`, bases)
      if (i === reads >> 1 && manyOperations > 0)
        line(0, name, pos, '1M1I'.repeat(manyOperations >> 1), (manyOperations >> 1) * 2)
      pos += random() < 0.7 ? below(3) : random() < 0.9 ? below(step) : below(10 * step)
    }
  }
  for (let i = 0; i < unplaced; i++) line(4, '*', 0, '*', 50)
  return `${lines.join('\n')}\n`
}
