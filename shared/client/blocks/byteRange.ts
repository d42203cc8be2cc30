import type { ByteRange } from '#shared/bytes/ByteRange.ts'

/** The `Range` header among a block's own, if there is one. */
export const rangeHeaderOf = (headers: Readonly<Record<string, string>>): string | undefined =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === 'range')?.[1]

/** A block's headers with another range, or none. */
export const withRange = (
  headers: Readonly<Record<string, string>>,
  range: string | undefined,
): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'range')),
  ...(range !== undefined && { Range: range }),
})

/** `bytes=first-last` (RFC 9110 §14.1.2), `end` Infinity without a last; undefined where it is not of that form. */
export function parseRangeHeader(header: string): ByteRange | undefined {
  const [, first, last = ''] = /^\s*bytes\s*=\s*(\d{1,15})-(\d{0,15})\s*$/i.exec(header) ?? []
  if (first === undefined) return undefined
  return { start: Number(first), end: last === '' ? Infinity : Number(last) + 1 }
}

export const formatRange = ({ start, end }: ByteRange): string =>
  `bytes=${start}-${end === Infinity ? '' : end - 1}`

/** `bytes first-last/total` (RFC 9110 §14.4); `total` Infinity where the server does not know it. */
export function parseContentRange(header: string | null): (ByteRange & { total: number }) | undefined {
  const [, first, last, total] =
    /^\s*bytes\s+(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)\s*$/i.exec(header ?? '') ?? []
  if (first === undefined) return undefined
  const range = {
    start: Number(first),
    end: Number(last) + 1,
    total: total === '*' ? Infinity : Number(total),
  }
  return range.start < range.end && range.end <= range.total ? range : undefined
}
