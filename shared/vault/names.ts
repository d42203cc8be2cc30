import { HtsvaultError } from '#shared/errors.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'

/** What an upload's key says: `<dataset>/<name>`. */
export interface UploadName {
  readonly dataset: string
  /** The rest of the key, slashes and dots included. */
  readonly name: string
}

/** The ending under which the vault keeps a format, whatever the upload was called. */
export const formatEndings: Readonly<Record<Format, string>> = {
  BAM: '.bam',
  CRAM: '.cram',
  VCF: '.vcf.gz',
  BCF: '.bcf',
}

const knownEndings = /(\.bam|\.cram|\.bcf|\.vcf|\.vcf\.gz|\.vcf\.bgz)?(\.c4gh)?$/i

/** UTF-8 bytes of the longest key and the longest part of one: S3 takes 1,024, file systems 255, and the vault adds endings of its own. */
const maxKeyBytes = 900
const maxSegmentBytes = 200
const bytesOf = (text: string) => new TextEncoder().encode(text).length

/**
 * Reads an upload's key.
 * @throws HtsvaultError NO_DATASET, INVALID_NAME
 */
export function parseUploadKey(key: string): UploadName {
  const slash = key.indexOf('/')
  if (slash < 1)
    throw new HtsvaultError('NO_DATASET', 'the upload lies in no dataset', {
      place: { file: key },
      hint: 'Put it in a folder of the inbox, inbox/<dataset>/<name>: the first folder is the dataset.',
    })
  const segments = key.split('/')
  if (key.startsWith(ownPrefix))
    throw new HtsvaultError('INVALID_NAME', "this folder is the vault's own", {
      place: { file: key },
      hint: 'Put the file in another folder of the inbox.',
    })

  const odd = /[\u0000-\u001f\u007f\\?#]/.test(key)
  if (
    odd ||
    segments.some(s => s === '' || s.startsWith('.')) ||
    bytesOf(key) > maxKeyBytes ||
    segments.some(s => bytesOf(s) > maxSegmentBytes)
  )
    throw new HtsvaultError(
      'INVALID_NAME',
      'the name cannot be kept: a part of it is empty or begins with a dot, or it holds a control character, a backslash, ? or #, or it is too long (900 bytes, 200 for each part)',
      {
        hint: 'Rename the file and upload it again.',
      },
    )
  return { dataset: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The htsget id of an upload: its key without the format's ending, and that of Crypt4GH behind it. */
export function fileId({ dataset, name }: UploadName): string {
  const stem = name.replace(knownEndings, '')
  return `${dataset}/${stem}`
}

/** Whether a file can have this id: whatever a client sends becomes a key only then. */
export function isFileId(id: string): boolean {
  try {
    parseUploadKey(id)
    return true
  } catch {
    return false
  }
}

/** The base of the vault's keys for one file: `<id><ending>`. */
export const baseKey = (id: string, format: Format): string => id + formatEndings[format]

export const manifestEnding = '.manifest.json'
export const manifestKey = (base: string): string => base + manifestEnding
export const isManifestKey = (key: string): boolean => key.endsWith(manifestEnding)

export const settingsKey = (dataset: string): string => `${dataset}/dataset.json`

/** The first part of the vault's own keys: no dataset has this name. */
export const ownPrefix = '_htsvault/'

export const refusalEnding = '.refused.json'
export const refusalKey = (uploadKey: string): string => uploadKey + refusalEnding
export const isRefusalKey = (key: string): boolean => key.endsWith(refusalEnding)

/** The parts of a served file that are objects of their own: the body, its standard index, its block map. */
export type Part = 'body' | 'index' | 'blockmap'

/**
 * The key of one part: `<base>.c4gh`, `<base>.bai.c4gh`, `<base>.blockmap.c4gh`, without `.c4gh` where the dataset
 * is not encrypted. A generation (`g` and eight hexadecimal digits) stands after the base where the plain name is
 * taken: an object that somebody may be reading is never overwritten.
 */
export function partKey(
  base: string,
  part: 'body' | 'blockmap' | 'bai' | 'csi' | 'tbi' | 'crai',
  options: { encrypted: boolean; generation?: string | undefined },
): string {
  const generation = options.generation === undefined ? '' : `.${options.generation}`
  return `${base}${generation}${part === 'body' ? '' : `.${part}`}${options.encrypted ? '.c4gh' : ''}`
}

const partPattern = /^(\.g[0-9a-f]{8})?(\.(bai|csi|tbi|crai|blockmap))?(\.c4gh)?$/

/** Whether a key is that of a part of the file of that base, of any generation. */
export const isPartOf = (base: string, key: string): boolean =>
  key.startsWith(base) && partPattern.test(key.slice(base.length))
