import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import { isAbsence } from './folderErrors.ts'

/** As S3: a key has at most 1,024 bytes of UTF-8; and a name of most file systems has at most 255. */
const maxKeyBytes = 1024
const maxNameBytes = 255

/** Why a key cannot be kept in a folder, or undefined. */
export function keyProblem(key: string): string | undefined {
  const parts = key.split('/')
  if (/[\p{Cc}\\]/u.test(key)) return 'holds a control character or a backslash'
  if (!key.isWellFormed()) return 'is not Unicode'
  if (parts.some(part => part === '' || part.startsWith('.')))
    return 'has a part that is empty or begins with a dot'
  if (Buffer.byteLength(key) > maxKeyBytes || parts.some(part => Buffer.byteLength(part) > maxNameBytes))
    return `is longer than ${maxKeyBytes} bytes, or a part of it than ${maxNameBytes}`
  return undefined
}

/**
 * The path of a key below `root`.
 * @throws HtsvaultError INVALID_KEY for a key that could leave the folder, or that it cannot keep
 */
export function pathOf(root: string, key: string): string {
  const problem = keyProblem(key)
  if (problem === undefined) return join(root, ...key.split('/'))
  throw new HtsvaultError('INVALID_KEY', `the name ${problem}`, { hint: 'Rename the file.' })
}

/** Whether no part of a path is a symbolic link: what a link points to is not in the store. */
export async function isItself(path: string): Promise<boolean> {
  try {
    return (await realpath(path)) === path
  } catch (error) {
    if (isAbsence(error)) return false
    throw error
  }
}

/** The nearest folder above a path that exists. */
export async function existingFolder(path: string): Promise<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      await realpath(folder)
      return folder
    } catch (error) {
      if (!isAbsence(error) || folder === dirname(folder)) throw error
    }
  }
}
