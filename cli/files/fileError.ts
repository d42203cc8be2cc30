import { HtsvaultError } from '#shared/errors.ts'

const causes: Record<string, readonly [Uppercase<string>, string]> = {
  ENOENT: ['FILE_NOT_FOUND', 'there is no such file'],
  ENOTDIR: ['FILE_NOT_FOUND', 'there is no such file'],
  EISDIR: ['FILE_NOT_FOUND', 'this is a folder'],
  EACCES: ['FILE_FORBIDDEN', 'you may not read or write it'],
  EPERM: ['FILE_FORBIDDEN', 'you may not read or write it'],
  EROFS: ['FILE_FORBIDDEN', 'its disk is read-only'],
  EEXIST: ['OUTPUT_EXISTS', 'it exists already'],
  ENOSPC: ['DISK_FULL', 'no room is left on its disk'],
  EDQUOT: ['DISK_FULL', 'your quota on its disk is used up'],
  EPIPE: ['OUTPUT_CLOSED', 'whoever was to read it is gone'],
}

/** A failed system call in words, with the file; one of our own errors gets the file added. */
export function fileError(error: unknown, file: string): Error {
  if (error instanceof HtsvaultError) return error.at({ file })
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error as Error
  const [code, message] = causes[String(error.code)] ?? [
    'FILE_FAILED',
    `the system says ${String(error.code)}`,
  ]
  return new HtsvaultError(code, message, {
    place: { file },
    ...(code === 'OUTPUT_EXISTS' && { hint: 'give --force to overwrite it' }),
    cause: error,
  })
}
