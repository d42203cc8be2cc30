import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import { isAbsence } from './folderErrors.ts'

/** As S3: a key has at most 1,024 bytes of UTF-8; and a name of most file systems has at most 255. */
const maxKeyBytes = 1024
const maxNameBytes = 255

/**
 * The path of a key below `root`.
 * @throws HtsvaultError INVALID_KEY for a key that could leave the folder, or that it cannot keep: a part that is
 *   empty or begins with a dot (hidden, `.`, `..`), a control character, a backslash, an unpaired surrogate, too long.
 */
export function pathOf(root: string, key: string): string {
  const parts = key.split('/')
  const reason = /[\u0000-\u001f\u007f\\]/.test(key)
    ? 'holds a control character or a backslash'
    : !key.isWellFormed()
      ? 'is not Unicode'
      : parts.some(part => part === '' || part.startsWith('.'))
        ? 'has a part that is empty or begins with a dot'
        : Buffer.byteLength(key) > maxKeyBytes || parts.some(part => Buffer.byteLength(part) > maxNameBytes)
          ? `is longer than ${maxKeyBytes} bytes, or a part of it than ${maxNameBytes}`
          : undefined
  if (reason === undefined) return join(root, ...parts)
  throw new HtsvaultError('INVALID_KEY', `the name ${reason}`, { hint: 'Rename the file.' })
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
