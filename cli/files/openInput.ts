import { closeSync, fstatSync, openSync } from 'node:fs'
import type { ByteSource } from '#shared/bytes/ByteSource.ts'
import { fdSource } from './fdSource.ts'
import { fileError } from './fileError.ts'

export interface OpenInput {
  readonly fd: number
  readonly path: string
  readonly source: ByteSource
  close(): void
}

/** Opens a regular file to read. @throws HtsvaultError FILE_NOT_FOUND, FILE_FORBIDDEN. */
export function openInput(path: string): OpenInput {
  try {
    const fd = openSync(path, 'r')
    return { fd, path, source: fdSource(fd, fstatSync(fd).size, path), close: () => closeSync(fd) }
  } catch (error) {
    throw fileError(error, path)
  }
}
