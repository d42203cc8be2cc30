import { chooseColumns, keepsTag, optionalFields, type RecordColumns } from '#shared/columns/RecordColumns.ts'
import type { ColumnLists, OptionalField } from '#shared/columns/RecordColumns.ts'

const allBut = (...left: OptionalField[]) => optionalFields.filter(field => !left.includes(field))

/** Requests of all sorts, by their htsget parameters. */
export const columnRequests: readonly ColumnLists[] = [
  { fields: ['FLAG', 'RNAME', 'POS', 'CIGAR'], tags: [] },
  { fields: ['FLAG', 'RNAME', 'POS', 'MAPQ', 'CIGAR'], tags: [] },
  { fields: allBut('QUAL') },
  { fields: allBut('QUAL'), tags: [] },
  { tags: [] },
  { tags: ['NM', 'MD'] },
  { notags: ['XA', 'XB', 'OQ', 'NM', 'RG'] },
  { fields: allBut('QNAME') },
  { fields: allBut('SEQ', 'QUAL') },
  { fields: ['QNAME', 'SEQ'], tags: ['RG', 'XB'] },
  { fields: ['RNEXT', 'PNEXT', 'TLEN'], tags: ['XA', 'XF', 'zz'] },
  { fields: ['QUAL'], notags: ['MD', 'NM'] },
]

export const chosen = (request: ColumnLists): RecordColumns => {
  const columns = chooseColumns(request)
  if (!columns) throw new Error('the request leaves out nothing')
  return columns
}

/** As a part of a file's or test's name. */
export const nameOf = (request: ColumnLists): string =>
  Object.entries(request)
    .map(([key, values]: [string, readonly string[]]) => `${key}=${values.join(',')}`)
    .join('&')

/** The columns of a line of SAM, and what stands in them where they are absent. */
const columnAt: Readonly<Record<OptionalField, readonly [at: number, absent: RegExp]>> = {
  QNAME: [0, /^\*$/],
  MAPQ: [4, /^255$/],
  RNEXT: [6, /^\*$/],
  PNEXT: [7, /^0$/],
  TLEN: [8, /^0$/],
  SEQ: [9, /^(\*|N+)$/],
  QUAL: [10, /^\*$/],
}

/**
 * Where lines of SAM break the contract against those of the original: what was asked for is the same, and so are FLAG,
 * RNAME, POS and CIGAR; what was not is the same or absent. The first few, told in words.
 */
export function breaches(
  original: readonly string[],
  got: readonly string[],
  columns: RecordColumns,
): string[] {
  const found: string[] = []
  if (original.length !== got.length) found.push(`${got.length} records instead of ${original.length}`)
  for (const [i, line] of original.entries()) {
    if (found.length > 4 || got[i] === undefined) break
    if (line === got[i]) continue
    const was = line.split('\t')
    const is = got[i].split('\t')
    const say = (what: string) =>
      found.push(`record ${i + 1}: ${what}\n${line.slice(0, 300)}\n${got[i]!.slice(0, 300)}`)
    for (const at of [1, 2, 3, 5]) if (was[at] !== is[at]) say(`column ${at + 1}`)
    for (const field of optionalFields) {
      const [at, absent] = columnAt[field]
      if (was[at] === is[at]) continue
      if (columns.fields.has(field) || !absent.test(is[at] ?? '')) say(field)
    }
    const wasTags = new Set(was.slice(11))
    const isTags = new Set(is.slice(11))
    for (const tag of wasTags) if (keepsTag(columns, tag.slice(0, 2)) && !isTags.has(tag)) say(`lost ${tag}`)
    for (const tag of isTags) if (!wasTags.has(tag)) say(`invented ${tag}`)
  }
  return found
}
