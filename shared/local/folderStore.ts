import { mkdirSync, realpathSync } from 'node:fs'
import { lstat, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectStore } from '#shared/vault/ports/ObjectStore.ts'
import { folderError, isAbsence } from './folderErrors.ts'
import { pathOf } from './folderKeys.ts'
import { listFolder } from './folderList.ts'
import { checkUnchanged, headObject, infoOf, openObject, openRange, readExactly } from './folderObject.ts'
import { folderParts } from './folderParts.ts'
import { folderUpload, type UploadEnds } from './folderUpload.ts'
import { ioBuffer } from './ioBuffer.ts'
import { withLock } from './keyLocks.ts'
import { publishObject, syncFolder } from './publishObject.ts'
import { temporaryArea } from './temporaryArea.ts'

/** How much a stream reads at once, in bytes; two such pieces are in flight. */
const chunkBytes = 1 << 20

/**
 * A folder in the place of a bucket: an object is a regular file below it, its key the path.
 *
 * An object appears whole, by a rename after its bytes are on the disk, or not at all. What is hidden (a name that
 * begins with a dot) and what is reached through a symbolic link is not in the store. Conditions are exact among the
 * stores of one process, `ifAbsent` also among processes. Other than in a bucket, `a` and `a/b` cannot both be there.
 *
 * @param dir made where it is not there.
 * @throws HtsvaultError STORE_FORBIDDEN, STORE_UNAVAILABLE where the folder cannot be used
 */
export function folderStore(dir: string): ObjectStore {
  let root: string
  let temporaryName: () => string
  try {
    mkdirSync(dir, { recursive: true })
    root = realpathSync(dir)
    temporaryName = temporaryArea(root)
  } catch (error) {
    throw folderError(error, dir)
  }

  const create = async (key: string, expectedBytes?: number) => {
    pathOf(root, key)
    try {
      const temporary = temporaryName()
      const handle = await open(temporary, 'wx', 0o600)
      const ends: UploadEnds = {
        publish: (written, condition) => publishObject(root, key, written, temporary, condition),
        discard: () => unlink(temporary).catch(() => undefined),
      }
      return folderUpload(key, handle, ends, expectedBytes)
    } catch (error) {
      throw folderError(error, key)
    }
  }

  return {
    head: key => headObject(root, key),
    create,

    async get(key, maxBytes) {
      const object = await openObject(root, key)
      if (object === undefined) return undefined
      const { handle, info } = object
      try {
        if (info.size > maxBytes)
          throw new HtsvaultError(
            'OBJECT_TOO_LARGE',
            `the object has ${info.size} bytes, at most ${maxBytes} are read`,
            {
              place: { file: key },
            },
          )
        return { bytes: await readExactly(handle, 0, ioBuffer(info.size)), info }
      } catch (error) {
        throw folderError(error, key)
      } finally {
        await handle.close()
      }
    },

    async read(key, start, end, etag) {
      const object = await openRange(root, key, start, end, etag)
      try {
        const bytes = await readExactly(object.handle, start, ioBuffer(end - start))
        await checkUnchanged(object, etag)
        return bytes
      } catch (error) {
        throw folderError(error, key)
      } finally {
        await object.handle.close()
      }
    },

    async *stream(key, start, end, etag, { reuse = false } = {}) {
      const object = await openRange(root, key, start, end, etag)
      // Two are enough: who asks for a piece is done with the one before, while the next is read.
      const sizes = [end - start, end - start - chunkBytes].map(left =>
        Math.max(0, Math.min(chunkBytes, left)),
      )
      const buffers = reuse ? sizes.map(ioBuffer) : undefined
      const readAt = (at: number) => {
        const to = Math.min(end, at + chunkBytes)
        const buffer = buffers?.[((at - start) / chunkBytes) % 2] ?? ioBuffer(to - at)
        const piece = readExactly(object.handle, at, buffer.subarray(0, to - at))
        // It is awaited later, or not at all where the consumer stops.
        piece.catch(() => undefined)
        return piece
      }
      let ahead = start < end ? readAt(start) : undefined
      try {
        for (let at = start; ahead !== undefined;) {
          const bytes: Uint8Array = await ahead
          at += bytes.length
          ahead = at < end ? readAt(at) : undefined
          if (ahead === undefined) await checkUnchanged(object, etag)
          yield bytes
        }
      } catch (error) {
        throw folderError(error, key)
      } finally {
        await ahead?.catch(() => undefined)
        await object.handle.close()
      }
    },

    async put(key, bytes, condition) {
      const upload = await create(key, bytes.length)
      try {
        await upload.write(bytes)
      } catch (error) {
        await upload.abort()
        throw error
      }
      return upload.complete(condition)
    },

    parts: folderParts(root, temporaryName),

    async delete(key, ifMatch) {
      const path = pathOf(root, key)
      return withLock(path, async () => {
        const info = await headObject(root, key)
        if (info === undefined) return true
        if (ifMatch !== undefined && info.etag !== ifMatch) return false
        try {
          await unlink(path)
          await syncFolder(dirname(path))
        } catch (error) {
          if (!isAbsence(error)) throw folderError(error, key)
        }
        return true
      })
    },

    async *list(prefix) {
      for await (const { key, path } of listFolder(root, prefix)) {
        const stat = await lstat(path, { bigint: true }).catch((error: unknown) => {
          if (isAbsence(error)) return undefined
          throw folderError(error, key)
        })
        if (stat?.isFile() === true) yield infoOf(key, stat)
      }
    },
  }
}
