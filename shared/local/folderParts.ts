import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import { copiedBytes } from '#shared/vault/ports/copiedBytes.ts'
import type { ObjectPart, PartUploads } from '#shared/vault/ports/ObjectStore.ts'
import { folderError, isAbsence } from './folderErrors.ts'
import { pathOf } from './folderKeys.ts'
import { withLock } from './keyLocks.ts'
import { publishObject } from './publishObject.ts'
import { temporaryFolder } from './temporaryArea.ts'

/**
 * Uploads by parts in a folder: each is a folder of its own, with the file, into which every part is written where it
 * belongs, and an empty file for every part that is there. Parts of one number are written one after another among
 * the stores of one process.
 *
 * @param temporaryName names a new file or folder for what is unfinished.
 */
export function folderParts(root: string, temporaryName: () => string): PartUploads {
  const all = join(root, temporaryFolder)
  const folderOf = (upload: string) => {
    const path = resolve(all, upload)
    // A name that somebody made up reaches no other file.
    if (relative(all, path) !== upload || upload.split('/').length !== 2) throw uploadEnded()
    return path
  }
  const failed = (error: unknown, key: string) =>
    isAbsence(error) ? uploadEnded(error) : folderError(error, key)

  const write = async (
    key: string,
    upload: string,
    { number, offset }: Pick<ObjectPart, 'number' | 'offset'>,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ) => {
    const folder = folderOf(upload)
    const path = join(folder, 'file')
    await withLock(`${path} ${number}`, async () => {
      let handle: FileHandle | undefined
      let from = offset
      try {
        handle = await open(path, 'r+')
        for await (const bytes of chunks)
          for (let at = 0; at < bytes.length;) {
            const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, from)
            at += bytesWritten
            from += bytesWritten
          }
        await (await open(join(folder, String(number)), 'w', 0o600)).close()
      } catch (error) {
        throw failed(error, key)
      } finally {
        await handle?.close()
      }
    })
  }

  return {
    async begin(key) {
      pathOf(root, key)
      try {
        const path = temporaryName()
        await mkdir(path)
        await (await open(join(path, 'file'), 'wx', 0o600)).close()
        return relative(all, path)
      } catch (error) {
        throw folderError(error, key)
      }
    },

    put: (key, upload, part) => write(key, upload, part, [part.bytes]),

    copy: (key, upload, part) => write(key, upload, part, copiedBytes(part)),

    async complete(key, upload, whole, condition) {
      const folder = folderOf(upload)
      const path = join(folder, 'file')
      let handle: FileHandle | undefined
      try {
        const parts = (await readdir(folder)).length - 1
        handle = await open(path, 'r+')
        const { size } = await handle.stat()
        if (parts !== whole.parts || size !== whole.size)
          throw new HtsvaultError(
            'UPLOAD_INCOMPLETE',
            `${parts} parts of ${size} bytes are there, of ${whole.parts} parts of ${whole.size} bytes`,
          )
        const info = await publishObject(root, key, handle, path, condition)
        await rm(folder, { recursive: true, force: true })
        return info
      } catch (error) {
        throw failed(error, key)
      } finally {
        await handle?.close()
      }
    },

    async abort(key, upload) {
      try {
        await rm(folderOf(upload), { recursive: true, force: true })
      } catch (error) {
        throw folderError(error, key)
      }
    },
  }
}

const uploadEnded = (cause?: unknown) =>
  new HtsvaultError('UPLOAD_ENDED', 'the upload was completed or aborted before', { cause })
