import { readFileSync, statSync } from 'node:fs'
import { HtsvaultError } from '#shared/errors.ts'
import {
  maxDictionaryBytes,
  readDictionary,
  type ReferenceDictionary,
} from '#shared/indexes/dictionary/readDictionary.ts'
import { fileError } from '../files/fileError.ts'
import { writeFd } from '../files/fdStreams.ts'
import { checkFile } from './checkFile.ts'
import { formatReport } from './formatReport.ts'

export interface CheckOptions {
  readonly json?: boolean
  readonly references?: string
}

/** Prints the report of each file when it is read through; the exit code is 1 where one is not sound. */
export async function checkFiles(
  files: readonly string[],
  { json = false, references }: CheckOptions,
): Promise<void> {
  const dictionary = references === undefined ? undefined : readDictionaryFile(references)
  for (const file of files) {
    const checked = await checkFile(file, dictionary)
    if (!checked.sound) process.exitCode = 1
    const report = json ? `${JSON.stringify(checked)}\n` : formatReport(checked)
    await writeFd(1, Buffer.from(report), 'standard output')
  }
}

function readDictionaryFile(path: string): ReferenceDictionary {
  try {
    if (statSync(path).size > maxDictionaryBytes)
      throw new HtsvaultError('DICTIONARY_INVALID', `it is longer than ${maxDictionaryBytes} bytes`, {
        hint: 'Make it of the reference: samtools dict genome.fa > genome.dict',
      })
    return readDictionary(readFileSync(path))
  } catch (error) {
    throw fileError(error, path)
  }
}
