import { HtsvaultError } from '#shared/errors.ts'
import type { Reference } from '../FileIndexer.ts'
import type { ReferenceDictionary } from './readDictionary.ts'

/** So many differences are told. */
const maxTold = 3

/**
 * Checks that each of a file's references is in the dictionary, with the same length where the file tells one, and the
 * same MD5 where both do. A file may have fewer, in any order.
 * @throws HtsvaultError REFERENCES_DIFFER with the first differences, and what to do
 */
export function checkReferences(references: readonly Reference[], dictionary: ReferenceDictionary): void {
  const differences = references.flatMap(reference => difference(reference, dictionary) ?? [])
  if (differences.length === 0) return
  const told = differences.slice(0, maxTold).map(({ what }) => what)
  const more = differences.length - told.length
  throw new HtsvaultError(
    'REFERENCES_DIFFER',
    `the file's references are not those of the dictionary: ${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
    { hint: hintFor(differences.map(({ kind }) => kind)) },
  )
}

type Kind = 'renamed' | 'unknown' | 'other'

function difference(
  { name, length, md5 }: Reference,
  dictionary: ReferenceDictionary,
): { kind: Kind; what: string } | undefined {
  const entry = dictionary.get(name)
  if (!entry) {
    const other = otherName(name)
    return dictionary.has(other)
      ? { kind: 'renamed', what: `${name} is ${other} there` }
      : { kind: 'unknown', what: `${name} is not there` }
  }
  if (length !== undefined && length !== entry.length)
    return { kind: 'other', what: `${name} has ${length} bases, there ${entry.length}` }
  if (md5 !== undefined && entry.md5 !== undefined && md5.toLowerCase() !== entry.md5.toLowerCase())
    return { kind: 'other', what: `${name} is another sequence of the same length (MD5)` }
  return undefined
}

/** The two ways of naming a human chromosome. */
const otherName = (name: string) =>
  name === 'MT' ? 'chrM' : name === 'chrM' ? 'MT' : name.startsWith('chr') ? name.slice(3) : `chr${name}`

function hintFor(kinds: readonly Kind[]): string {
  if (kinds.includes('other'))
    return 'The file was made with another assembly: align or call it with the reference of the dictionary, or put it into a dataset of its own.'
  if (kinds.every(kind => kind === 'renamed'))
    return 'Rename them: samtools reheader (samtools view -H, edit the @SQ lines), or bcftools annotate --rename-chrs.'
  return 'Is it the right assembly? If so, add what is missing to the dictionary (samtools dict), or leave it out of the file (samtools reheader, bcftools reheader).'
}
