import type { Format } from '#shared/indexes/FileIndexer.ts'

export interface HeaderReference {
  readonly name: string
  /** In bases; absent where the header does not tell. */
  readonly length?: number
  /** Of its sequence, 32 hexadecimal digits in lower case, as refget servers know it. */
  readonly md5?: string
}

/** What stands before a file's records. */
export interface FileHeader {
  readonly format: Format
  /** SAM or VCF text. */
  readonly text: string
  /** In the order of the file. */
  readonly references: readonly HeaderReference[]
}

/** The `@SQ` lines of a SAM header, in order; the first of a name given twice. */
export function referencesOfSam(text: string): HeaderReference[] {
  const references: HeaderReference[] = []
  for (const line of text.split('\n')) {
    if (!line.startsWith('@SQ\t')) continue
    const fields = new Map(
      line
        .trimEnd()
        .split('\t')
        .slice(1)
        .map(field => [field.slice(0, 2), field.slice(3)]),
    )
    const name = fields.get('SN')
    if (name === undefined) continue
    const length = fields.get('LN')
    const md5 = fields.get('M5')?.toLowerCase()
    references.push({
      name,
      ...(length !== undefined && { length: Number(length) }),
      ...(md5 !== undefined && /^[0-9a-f]{32}$/.test(md5) && { md5 }),
    })
  }
  return references
}
