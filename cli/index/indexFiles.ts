import { HtsvaultError } from '#shared/errors.ts'
import type { IndexKind } from '#shared/indexes/FileIndexer.ts'
import { fileError } from '../files/fileError.ts'
import { printError } from '../printError.ts'
import { indexInput } from './indexInput.ts'
import { checkOutput, writeIndex } from './output.ts'

export interface IndexOptions {
  readonly format?: IndexKind
  readonly output?: string
  /** As many as are worth it unless told. */
  readonly threads?: number
}

/**
 * Writes the standard index of each file: beside it, or of a single one to `output`.
 *
 * One that fails is told of and the others go on; the exit code is then 1.
 */
export async function indexFiles(files: readonly string[], options: IndexOptions): Promise<void> {
  for (const file of files)
    try {
      await indexFile(file, options)
    } catch (error) {
      if (!(error instanceof HtsvaultError)) throw error
      printError(error)
      process.exitCode = 1
    }
}

async function indexFile(path: string, { format, output, threads }: IndexOptions): Promise<void> {
  try {
    checkOutput(path, output)
    const { kind, bytes } = (await indexInput(path, format, threads)).index
    await writeIndex(output ?? `${path}.${kind}`, bytes)
  } catch (error) {
    throw fileError(error, path)
  }
}
