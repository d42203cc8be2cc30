import { HtsvaultError } from '#shared/errors.ts'
import { checkReferences } from '#shared/indexes/dictionary/checkReferences.ts'
import { maxDictionaryBytes, readDictionary } from '#shared/indexes/dictionary/readDictionary.ts'
import type { Reference } from '#shared/indexes/FileIndexer.ts'
import { HeaderReader } from '#shared/indexes/shards/HeaderReader.ts'
import type { DatasetSettings } from './DatasetSettings.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'

/**
 * Checks a file's references against the dictionary that its dataset has, if it has one.
 * @throws HtsvaultError REFERENCES_DIFFER; DICTIONARY_INVALID with the dictionary's key
 */
export async function checkDatasetReferences(
  vault: ObjectStore,
  dataset: string,
  settings: Pick<DatasetSettings, 'references'>,
  references: readonly Reference[],
): Promise<void> {
  if (settings.references === undefined) return
  const key = `${dataset}/${settings.references}`
  const object = await vault.get(key, maxDictionaryBytes)
  if (object === undefined)
    throw new HtsvaultError('DICTIONARY_INVALID', "the dataset's reference dictionary is not there", {
      place: { file: key },
      hint: `Put it there as dataset.json names it (samtools dict genome.fa > ${settings.references}), then delete the .refused.json.`,
    })
  let dictionary
  try {
    dictionary = readDictionary(object.bytes)
  } catch (error) {
    throw error instanceof HtsvaultError ? error.at({ file: key }) : error
  }
  checkReferences(references, dictionary)
}

/**
 * The same check for a file whose bytes go by: it is made as soon as its header is there, so that a large file of
 * another assembly is refused at its start. (A VCF's records may name more references than its header.)
 * @throws HtsvaultError as checkDatasetReferences, and what one pass throws up to the end of the header
 */
export function headerCheck(
  vault: ObjectStore,
  dataset: string,
  settings: Pick<DatasetSettings, 'references'>,
): (chunk: Uint8Array) => Promise<void> {
  let reader = settings.references === undefined ? undefined : new HeaderReader()
  return async chunk => {
    const header = reader?.push(chunk)
    if (!header) return
    reader = undefined
    await checkDatasetReferences(vault, dataset, settings, header.references)
  }
}
