import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import { printError } from '../printError.ts'
import { fileError } from '../files/fileError.ts'
import type { InputFile } from './findInputs.ts'
import { OutputFile, refuseExisting } from '../files/OutputFile.ts'
import { showProgress } from '../files/progress.ts'
import { type OpenInput, openInput } from '../files/openInput.ts'

export interface FilesOptions {
  readonly outputDir?: string
  readonly force?: boolean
  readonly delete?: boolean
}

export interface FileWork {
  readonly input: OpenInput
  readonly output: OutputFile
  /** Hears how many bytes more were read. */
  readonly onBytes: (bytes: number) => void
}

/**
 * Does the same to many files: each output whole or not there, originals deleted last and only where asked for.
 * One that fails is told of and the others go on; the exit code is then 1.
 *
 * `work` writes the output and gives the check that `--delete` waits for: it reads the output back.
 * @throws HtsvaultError OUTPUT_EXISTS for any of them, before any work is done.
 */
export async function forEachFile(
  label: string,
  inputs: readonly InputFile[],
  nameOf: (input: string) => string,
  options: FilesOptions,
  work: (file: FileWork) => Promise<{ verify: () => Promise<void> }>,
): Promise<void> {
  const { outputDir, force = false } = options
  const outputs = inputs.map(({ path }) => {
    const name = nameOf(path)
    return outputDir === undefined ? name : join(outputDir, basename(name))
  })
  outputs.forEach((output, i) => {
    refuseExisting(output, force)
    if (outputs.indexOf(output) !== i)
      throw new HtsvaultError('OUTPUT_EXISTS', 'two inputs would be written to it', {
        place: { file: output },
      })
  })
  const progress = showProgress(
    label,
    inputs.reduce((sum, { size }) => sum + size, 0),
  )
  const failures: unknown[] = []
  for (const [i, { path }] of inputs.entries())
    try {
      await doFile(path, outputs[i]!, force, options.delete === true, progress.add, work)
    } catch (error) {
      failures.push(fileError(error, path))
    }
  progress.stop()
  for (const failure of failures) printError(failure)
  if (failures.length > 0) process.exitCode = 1
}

async function doFile(
  path: string,
  outputPath: string,
  force: boolean,
  deleteOriginal: boolean,
  onBytes: (bytes: number) => void,
  work: (file: FileWork) => Promise<{ verify: () => Promise<void> }>,
): Promise<void> {
  const input = openInput(path)
  try {
    const output = new OutputFile(outputPath, { force })
    try {
      const { verify } = await work({ input, output, onBytes })
      if (deleteOriginal) await verify()
      output.commit({ durable: deleteOriginal })
    } finally {
      output.abort()
    }
  } finally {
    input.close()
  }
  if (deleteOriginal) rmSync(path)
}
