/** The references of the demonstration: short enough to read, long enough that a region is a part. */
export const references = [
  { name: 'chr1', length: 1_000_000 },
  { name: 'chr2', length: 600_000 },
  { name: 'chr3', length: 250_000 },
  { name: 'chrM', length: 16_569 },
] as const

/** The base at a 0-based position of the synthetic genome: a hash of the place, so no sequence is stored. */
export function baseAt(reference: number, position: number): string {
  let mixed = Math.imul(position + 1, 0x9e3779b1) ^ Math.imul(reference + 1, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39)
  return 'ACGT'[(mixed >>> 18) & 3]!
}

/** The bases of a 0-based half-open region. */
export function basesOf(reference: number, start: number, end: number): string {
  let bases = ''
  for (let position = start; position < end; position++) bases += baseAt(reference, position)
  return bases
}

/** Where the reads of the panel are, 0-based half-open. */
export const targets: readonly { reference: number; start: number; end: number }[] = [
  ...[12_000, 48_500, 151_200, 300_000, 420_400, 655_000, 803_700, 940_000].map(start => target(0, start)),
  ...[20_300, 133_000, 271_800, 405_500, 560_000].map(start => target(1, start)),
  ...[60_000, 199_900].map(start => target(2, start)),
  { reference: 3, start: 0, end: 3000 },
]

function target(reference: number, start: number) {
  return { reference, start, end: start + 900 }
}
