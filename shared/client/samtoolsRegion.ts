import { HtsvaultError } from '#shared/errors.ts'
import type { QueryRegion } from '#shared/htsget/HtsgetQuery.ts'

/** Whether a region may be a name with a colon in it as well as a name and positions: only the header can tell. */
export const needsNames = (text: string): boolean => !text.startsWith('{') && text.includes(':')

/**
 * Reads a region as samtools does (htslib's `hts_parse_region`): `chr1`, `chr1:100` (to its end), `chr1:100-200`,
 * `chr1:-200`, 1-based and inclusive, with thousands separators, decimals and `k`, `M`, `G`; `{name}:1-2` for names with
 * colons; `*` for unplaced reads; `.` for everything, which is undefined. `names` are the file's references: without
 * them, or where they have none that fits, what is before the last colon is the name.
 * @throws HtsvaultError REGION_INVALID, REGION_AMBIGUOUS
 */
export function parseSamtoolsRegion(text: string, names?: ReadonlySet<string>): QueryRegion | undefined {
  if (text === '.') return undefined
  if (text.startsWith('{')) {
    const close = text.indexOf('}')
    const rest = text.slice(close + 1)
    if (close < 0 || (rest !== '' && !rest.startsWith(':'))) throw invalid(text, 'its braces do not match')
    return { referenceName: named(text, text.slice(1, close)), ...parsePositions(text, rest.slice(1)) }
  }
  const colon = text.lastIndexOf(':')
  if (colon < 0) return { referenceName: named(text, text) }
  const name = text.slice(0, colon)
  if (names?.has(text)) {
    if (names.has(name))
      throw new HtsvaultError(
        'REGION_AMBIGUOUS',
        `the file has a reference ${text} and a reference ${name}`,
        {
          hint: `Say which: '{${text}}' or '{${name}}${text.slice(colon)}'.`,
        },
      )
    return { referenceName: text }
  }
  return { referenceName: named(text, name), ...parsePositions(text, text.slice(colon + 1)) }
}

function named(text: string, name: string): string {
  if (name === '') throw invalid(text, 'it names no reference')
  return name
}

function parsePositions(text: string, positions: string): { start?: number; end?: number } {
  const first = parseDecimal(positions)
  if (first.value < 0) {
    // `chr1:-200` ends at 200; `chr1:-5-10` is nothing.
    if (first.rest !== '') throw invalid(text, 'positions begin at 1')
    return { end: -first.value }
  }
  if (first.rest === '-') return start(first.value)
  if (first.rest === '') return start(first.value)
  if (!first.rest.startsWith('-')) throw invalid(text, 'there is something behind its first position')
  const last = parseDecimal(first.rest.slice(1))
  if (last.rest !== '') throw invalid(text, 'there is something behind its last position')
  if (last.value === 0) return start(first.value)
  if (last.value < Math.max(first.value, 1)) throw invalid(text, 'it ends before it begins')
  return { ...start(first.value), ...(last.value <= maxPosition && { end: last.value }) }
}

/** What htsget can say; further on is the end of any reference. */
const maxPosition = 2 ** 32 - 1

/** 0-based; what begins at the first base begins nowhere in particular. */
const start = (first: number): { start?: number } =>
  first > 1 ? { start: Math.min(first - 1, maxPosition) } : {}

/** htslib's `hts_parse_decimal`. */
function parseDecimal(text: string): { value: number; rest: string } {
  const [all, sign, digits = '', decimals = '', exponent, unit] =
    /^\s*([+-]?)([\d,]*)(?:\.(\d*))?(?:[eE]([+-]?\d*)|([kKmMgG]))?/.exec(text)!
  const power =
    unit === undefined ? Number(exponent ?? 0) || 0 : { k: 3, m: 6, g: 9 }[unit.toLowerCase() as 'k']
  const whole = digits.replaceAll(',', '')
  const rest = text.slice(all.length)
  // A lone sign is no number: it is what stands between two.
  if (whole === '' && decimals === '') return { value: 0, rest: sign === '' ? rest : text.trimStart() }
  const value = Math.trunc(Number(`${whole === '' ? '0' : whole}${decimals}e${power - decimals.length}`))
  return { value: sign === '-' ? -value : value, rest }
}

const invalid = (text: string, why: string): HtsvaultError =>
  new HtsvaultError('REGION_INVALID', `${JSON.stringify(text)} is no region: ${why}`, {
    hint: 'As samtools reads them: chr1, chr1:100-200, chr1:1,000,000, {name:with:colons}:100-200, * for unplaced reads.',
  })
