/** The columns of a record that may be left out. FLAG, RNAME, POS and CIGAR always come. */
export const optionalFields = ['QNAME', 'MAPQ', 'RNEXT', 'PNEXT', 'TLEN', 'SEQ', 'QUAL'] as const
export type OptionalField = (typeof optionalFields)[number]

/**
 * What is asked for of each record. What is: comes exactly. What is not: may be absent (`*`, 255, -1 or 0, N) or
 * present, and is never a plausible wrong value.
 */
export interface RecordColumns {
  /** Where QUAL is, SEQ is. */
  readonly fields: ReadonlySet<OptionalField>
  /** These tags and no others, or all but these. */
  readonly tags: { readonly kind: 'only' | 'but'; readonly names: ReadonlySet<string> }
}

/** Lists as a request has them; absent: everything. */
export interface ColumnLists {
  readonly fields?: readonly string[]
  readonly tags?: readonly string[]
  readonly notags?: readonly string[]
}

/** Longer lists of tags are passed over, all tags come: no file has so many, and a token has to stay short. */
const maxTags = 100

/** What a tag can be called in a file: two printable characters. */
const isTagName = (name: string) => /^[!-~]{2}$/.test(name)

/** What a request leaves of the columns, or undefined where it leaves out none of them. */
export function chooseColumns({ fields, tags, notags = [] }: ColumnLists): RecordColumns | undefined {
  const kept = new Set(optionalFields.filter(field => !fields || fields.includes(field)))
  if (kept.has('QUAL')) kept.add('SEQ')
  const names = new Set((tags ?? notags).filter(isTagName).sort())
  const chosen: RecordColumns['tags'] =
    names.size > maxTags ? { kind: 'but', names: new Set() } : { kind: tags ? 'only' : 'but', names }
  const columns = { fields: kept, tags: chosen }
  return keepsEverything(columns) ? undefined : columns
}

/** Whether a tag of this name is asked for. */
export const keepsTag = ({ tags }: RecordColumns, name: string): boolean =>
  tags.names.has(name) === (tags.kind === 'only')

const keepsEverything = ({ fields, tags }: RecordColumns) =>
  fields.size === optionalFields.length && tags.kind === 'but' && tags.names.size === 0
