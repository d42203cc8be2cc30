/** What S3 takes: 10,000 parts of an upload, all but the last of at least 5 MiB, none of more than 5 GiB. */
export const maxParts = 10_000
const maxPartBytes = 5 * 2 ** 30

/** The size of the smallest parts, in bytes. */
export const firstPartBytes = 8 << 20

/** The size of the parts that S3 copies by itself, in bytes: 10,000 of them hold 2.4 TiB. */
export const copyBytes = 256 << 20

/** So many parts have one size before it doubles, and again after as many more. */
const step = 1000

/**
 * The size in bytes of part `number` (the first is 1). Where the length is known, all parts have one size and 9,000 of
 * them hold it. Where it is not, or was told too small, the size doubles every 1,000 parts: 10,000 parts then hold
 * 7.8 TiB, and an upload of 100 GB ends with parts of 64 MiB.
 */
export function partBytes(number: number, expectedBytes = 0): number {
  const base = Math.max(firstPartBytes, Math.ceil(expectedBytes / (maxParts - step)))
  const even = Math.max(step, Math.ceil(expectedBytes / base))
  return Math.min(maxPartBytes, base * 2 ** Math.ceil(Math.max(0, number - even) / step))
}
