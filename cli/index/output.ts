import { accessSync, constants, realpathSync, statSync, type Stats } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import { writeFd } from '../files/fdStreams.ts'
import { fileError } from '../files/fileError.ts'
import { OutputFile } from '../files/OutputFile.ts'

/**
 * Says before the work what would stop the index of `input` from being written: to `output`, or beside it.
 * @throws HtsvaultError FILE_NOT_FOUND, FILE_FORBIDDEN, OUTPUT_EXISTS, OUTPUT_NAME_UNKNOWN
 */
export function checkOutput(input: string, output: string | undefined): void {
  const from = called(input, () => statSync(input))
  if (output === undefined && from.isFIFO())
    throw new HtsvaultError('OUTPUT_NAME_UNKNOWN', 'a pipe has no place beside it for an index', {
      hint: 'Name the index with -o FILE.',
    })
  const there = output === undefined ? undefined : existing(output)
  if (there?.isDirectory())
    throw new HtsvaultError('OUTPUT_EXISTS', 'this is a folder', {
      place: { file: output! },
      hint: 'Name a file in it with -o.',
    })
  if (there?.isFile() && there.ino === from.ino && there.dev === from.dev)
    throw new HtsvaultError('OUTPUT_EXISTS', 'the index would replace the file that it is of', {
      hint: 'Name another file with -o, or leave it out.',
    })
  if (isSpecial(there)) return
  const folder = dirname(output ?? input)
  called(folder, () => accessSync(folder, constants.W_OK))
}

/**
 * Writes an index whole or not at all, over one that is there; a device or pipe gets the bytes as they are.
 * @throws HtsvaultError FILE_NOT_FOUND, FILE_FORBIDDEN, DISK_FULL, OUTPUT_CLOSED
 */
export async function writeIndex(path: string, bytes: Uint8Array): Promise<void> {
  const there = existing(path)
  if (isSpecial(there)) {
    await writeFile(path, bytes).catch((error: unknown) => {
      throw fileError(error, path)
    })
    return
  }
  // A link stays: what it leads to is replaced.
  const output = new OutputFile(there ? realpathSync(path) : path, { force: true })
  try {
    await writeFd(output.fd, bytes, path)
    output.commit()
  } finally {
    output.abort()
  }
}

const existing = (path: string): Stats | undefined =>
  called(path, () => statSync(path, { throwIfNoEntry: false }))

const isSpecial = (stats: Stats | undefined): boolean => stats !== undefined && !stats.isFile()

function called<Result>(path: string, call: () => Result): Result {
  try {
    return call()
  } catch (error) {
    throw fileError(error, path)
  }
}
