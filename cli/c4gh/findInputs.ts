import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import { fileError } from '../files/fileError.ts'

export interface InputFile {
  readonly path: string
  /** In bytes. */
  readonly size: number
}

export const encryptedSuffix = '.c4gh'

const genomic = /\.(bam|cram|sam|bcf|vcf|g?vcf\.b?gz|(fastq|fq|fasta|fa)(\.gz)?)$/i
const index = /\.(bai|csi|tbi|crai|gzi|fai)$/i

/** Where tools put the index of a file: `x.bam.bai`, and `x.bai` beside `x.bam`. */
function indexNames(path: string): string[] {
  const names = ['bai', 'csi', 'tbi', 'crai', 'gzi', 'fai'].map(suffix => `${path}.${suffix}`)
  const stem = path.replace(/\.(bam|cram|bcf)$/i, '')
  return stem === path ? names : [...names, `${stem}.bai`, `${stem}.csi`, `${stem}.crai`]
}

/**
 * The files that arguments stand for: a file with its index where it has one, a folder's genomic files and indexes
 * (`encrypt`) or all that is encrypted in it (`decrypt`), the folders in it included. Each once, in order.
 * @throws HtsvaultError FILE_NOT_FOUND, NOTHING_TO_DO.
 */
export function findInputs(paths: readonly string[], direction: 'encrypt' | 'decrypt'): InputFile[] {
  const found = new Map<string, InputFile>()
  const add = (path: string) => {
    const { size } = statOf(path)
    found.set(path, { path, size })
  }
  for (const path of paths)
    if (statOf(path).isDirectory()) filesIn(path, direction).forEach(add)
    else [path, ...companions(path, direction)].forEach(add)
  if (found.size === 0)
    throw new HtsvaultError(
      'NOTHING_TO_DO',
      direction === 'encrypt' ? 'no genomic file is in there' : `no ${encryptedSuffix} file is in there`,
      { place: { file: paths.join(', ') }, hint: 'name the files themselves' },
    )
  return [...found.values()]
}

function companions(path: string, direction: 'encrypt' | 'decrypt'): string[] {
  if (direction === 'encrypt') return indexNames(path).filter(name => existsSync(name))
  if (!path.endsWith(encryptedSuffix)) return []
  return indexNames(path.slice(0, -encryptedSuffix.length))
    .map(name => name + encryptedSuffix)
    .filter(name => existsSync(name))
}

function filesIn(folder: string, direction: 'encrypt' | 'decrypt'): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && !entry.name.startsWith('.'))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path =>
      direction === 'encrypt' ? genomic.test(path) || index.test(path) : path.endsWith(encryptedSuffix),
    )
    .sort()
}

function statOf(path: string) {
  try {
    return statSync(path)
  } catch (error) {
    throw fileError(error, path)
  }
}
