import { HtsvaultError } from '#shared/errors.ts'

const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

/** Whether a system call failed with one of these codes (`ENOENT`, …). */
export const failedWith = (error: unknown, ...codes: string[]): boolean => {
  const code = codeOf(error)
  return code !== undefined && codes.includes(code)
}

/** Whether a system call failed because there is no such file: absence, not an outage. */
export const isAbsence = (error: unknown): boolean => failedWith(error, 'ENOENT', 'ENOTDIR', 'ELOOP')

/** A failed system call in the store's own words; an HtsvaultError stays as it is. */
export function folderError(error: unknown, key: string): HtsvaultError {
  if (error instanceof HtsvaultError) return error
  const code = codeOf(error)
  const details = { place: { file: key }, cause: error }
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new HtsvaultError('STORE_FORBIDDEN', `the folder does not let us: ${code}`, {
        ...details,
        hint: 'Give the user that htsvault runs as read and write access to its data folder.',
      })
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new HtsvaultError('INVALID_KEY', 'a folder and an object cannot have the same name', details)
    case 'ENAMETOOLONG':
      return new HtsvaultError('INVALID_KEY', 'the name is longer than the file system takes', details)
    case 'ENOSPC':
    case 'EDQUOT':
      return new HtsvaultError('STORE_UNAVAILABLE', `there is no room left: ${code}`, {
        ...details,
        hint: 'Make room on the disk of the data folder (df -h), then try again.',
      })
    default:
      return new HtsvaultError(
        'STORE_UNAVAILABLE',
        `the folder cannot be used: ${code ?? 'unknown'}`,
        details,
      )
  }
}
