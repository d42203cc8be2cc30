import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import { fileError } from './fileError.ts'
import { whenInterrupted } from './whenInterrupted.ts'

/** @throws HtsvaultError OUTPUT_EXISTS: said before any work is done. */
export function refuseExisting(path: string, force: boolean): void {
  if (!force && existsSync(path))
    throw new HtsvaultError('OUTPUT_EXISTS', 'it exists already', {
      place: { file: path },
      hint: 'give --force to overwrite it',
    })
}

/** A file that has its name only once it is whole: until then a hidden temporary one beside it. */
export class OutputFile {
  readonly path: string
  readonly fd: number
  readonly #temporary: string
  readonly #force: boolean
  /** Nothing is left to remove when the process is interrupted. */
  readonly #settled: () => void
  #open = true

  /** @throws HtsvaultError OUTPUT_EXISTS, FILE_NOT_FOUND, FILE_FORBIDDEN. */
  constructor(path: string, { force, mode = 0o666 }: { force: boolean; mode?: number }) {
    refuseExisting(path, force)
    this.path = path
    this.#force = force
    this.#temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
    // Before there is a file: from its first moment somebody is there to remove it.
    this.#settled = whenInterrupted(() => rmSync(this.#temporary, { force: true }))
    try {
      // Readable too: what was written is read back before an original is deleted.
      this.fd = openSync(this.#temporary, 'wx+', mode)
    } catch (error) {
      this.#settled()
      throw fileError(error, path)
    }
  }

  /**
   * Puts the file in its place. `durable`: safe on the disk before that, which is for those who then delete what it was
   * made of; a file that takes another's place always is.
   * @throws HtsvaultError OUTPUT_EXISTS, DISK_FULL.
   */
  commit({ durable = false } = {}): void {
    try {
      if (durable || this.#force) fsyncSync(this.fd)
      this.#close()
      if (this.#force) renameSync(this.#temporary, this.path)
      else this.#linkIntoPlace()
      this.#settled()
    } catch (error) {
      this.abort()
      throw fileError(error, this.path)
    }
  }

  /** Leaves nothing behind; without effect after `commit`. */
  abort(): void {
    this.#close()
    this.#settled()
    rmSync(this.#temporary, { force: true })
  }

  /** A link fails where the name was taken meanwhile, a rename would overwrite. */
  #linkIntoPlace(): void {
    try {
      linkSync(this.#temporary, this.path)
    } catch (error) {
      if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(String((error as NodeJS.ErrnoException).code)))
        throw error
      // A file system without links.
      refuseExisting(this.path, false)
      renameSync(this.#temporary, this.path)
      return
    }
    rmSync(this.#temporary)
  }

  #close(): void {
    if (this.#open) closeSync(this.fd)
    this.#open = false
  }
}
