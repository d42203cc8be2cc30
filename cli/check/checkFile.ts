import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { blockOf, formatVirtualOffset } from '#shared/bgzf/VirtualOffset.ts'
import { HtsvaultError, type ErrorReport } from '#shared/errors.ts'
import type { Format, IndexKind, Reference } from '#shared/indexes/FileIndexer.ts'
import { checkReferences } from '#shared/indexes/dictionary/checkReferences.ts'
import type { ReferenceDictionary } from '#shared/indexes/dictionary/readDictionary.ts'
import { openIndexLane } from '#shared/indexes/openIndexLane.ts'
import { fileError } from '../files/fileError.ts'
import { readThrough } from '../files/readThrough.ts'

/** What a file is that has nothing wrong with it; `--json` prints it so. */
export interface SoundFile {
  readonly file: string
  readonly sound: true
  readonly format: Format
  /** As the file says: `3.0` of CRAM, `4.2` of VCF, `2.2` of BCF, `1` of BAM. */
  readonly formatVersion: string
  readonly references: readonly Reference[]
  readonly records: number
  /** Records without a position. */
  readonly unplacedRecords: number
  /** Of the records, found by looking, whatever the header says; a file in no order is not sound. */
  readonly sortOrder: 'coordinate'
  /** Where the header ends: a BGZF virtual offset, `block:within`; of CRAM the byte. */
  readonly headerEnd: string
  /** In bytes. */
  readonly size: number
  readonly sha256: string
  readonly md5: string
  /** The standard index that it gets, and how many bytes that has. */
  readonly index: { readonly kind: IndexKind; readonly size: number }
}

export interface FaultyFile {
  readonly file: string
  readonly sound: false
  readonly error: ErrorReport
}

/** Reads a file through, as the vault does to take it in, for a dataset of that dictionary if one is given. What is wrong is a result; a fault of our own is thrown. */
export async function checkFile(
  path: string,
  dictionary?: ReferenceDictionary,
): Promise<SoundFile | FaultyFile> {
  try {
    const checked = await readFile(path)
    if (dictionary) checkReferences(checked.references, dictionary)
    return checked
  } catch (thrown) {
    const error = fileError(thrown, path)
    if (!(error instanceof HtsvaultError)) throw error
    return { file: path, sound: false, error: error.toReport() }
  }
}

async function readFile(path: string): Promise<SoundFile> {
  const lane = openIndexLane(statSync(path).size)
  const sha256 = createHash('sha256')
  const md5 = createHash('md5')
  try {
    await readThrough(path, 'Checking', async chunk => {
      // The lane first: it may work on the chunk in its own thread while this one digests it.
      await lane.push(chunk)
      sha256.update(chunk)
      md5.update(chunk)
    })
    const { format, formatVersion, references, records, unplacedRecords, headerEnd, size, index } =
      await lane.finish()
    return {
      file: path,
      sound: true,
      format,
      formatVersion,
      references,
      records,
      unplacedRecords,
      sortOrder: 'coordinate',
      headerEnd: format === 'CRAM' ? String(blockOf(headerEnd)) : formatVirtualOffset(headerEnd),
      size,
      sha256: sha256.digest('hex'),
      md5: md5.digest('hex'),
      index: { kind: index.kind, size: index.bytes.length },
    }
  } finally {
    await lane.close()
  }
}
