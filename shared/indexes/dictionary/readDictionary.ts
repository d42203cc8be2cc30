import { HtsvaultError } from '#shared/errors.ts'

/** What a reference dictionary says of one reference. */
export interface DictionaryEntry {
  /** In bases. */
  readonly length: number
  /** Of the sequence in capitals, hexadecimal; absent where it is not told. */
  readonly md5?: string
}

export type ReferenceDictionary = ReadonlyMap<string, DictionaryEntry>

/** The largest dictionary that is read, in bytes: some hundred thousand references. */
export const maxDictionaryBytes = 16 << 20

/**
 * Reads a reference dictionary: the text of a `.dict` file (`samtools dict`: @SQ lines, SAMv1 §1.3) or of a `.fai` file
 * (`samtools faidx`), told apart by content.
 * @throws HtsvaultError DICTIONARY_INVALID with the line
 */
export function readDictionary(bytes: Uint8Array): ReferenceDictionary {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/)
  const isSam = lines[0]!.startsWith('@')
  const dictionary = new Map<string, DictionaryEntry>()
  lines.forEach((line, i) => {
    if (line === '' || (isSam && !line.startsWith('@SQ\t'))) return
    const [name, length, md5] = isSam ? samFields(line) : line.split('\t')
    if (name === undefined || name === '' || !/^\d{1,15}$/.test(length ?? '') || dictionary.has(name))
      throw invalid('has no name, no length, or a name that was there before', i + 1)
    dictionary.set(name, { length: Number(length), ...(isSam && md5 !== undefined && { md5 }) })
  })
  if (dictionary.size === 0) throw invalid('names no reference')
  return dictionary
}

const samFields = (line: string) =>
  ['SN:', 'LN:', 'M5:'].map(tag =>
    line
      .split('\t')
      .find(field => field.startsWith(tag))
      ?.slice(tag.length),
  )

const invalid = (what: string, line?: number) =>
  new HtsvaultError(
    'DICTIONARY_INVALID',
    line === undefined ? `the reference dictionary ${what}` : `a line of the reference dictionary ${what}`,
    {
      ...(line !== undefined && { place: { line } }),
      hint: 'Make it of the reference: samtools dict genome.fa > genome.dict',
    },
  )
