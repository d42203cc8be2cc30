import { constants, mkdirSync, realpathSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { link, lstat, mkdir, open, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checkRange } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectInfo, ObjectStore, PutCondition } from '#shared/vault/ports/ObjectStore.ts'
import { failedWith, folderError, isAbsence } from './folderErrors.ts'
import { existingFolder, isItself, pathOf } from './folderKeys.ts'
import { listFolder } from './folderList.ts'
import { folderParts } from './folderParts.ts'
import { folderUpload } from './folderUpload.ts'
import { ioBuffer } from './ioBuffer.ts'
import { withLock } from './keyLocks.ts'
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

  const head = async (key: string): Promise<ObjectInfo | undefined> => {
    const path = pathOf(root, key)
    try {
      const stat = await lstat(path, { bigint: true })
      return stat.isFile() && (await isItself(path)) ? infoOf(key, stat) : undefined
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw folderError(error, key)
    }
  }

  /** Opens an object for reading; a writer that replaces it meanwhile does not touch what is read. */
  const openObject = async (key: string): Promise<OpenObject | undefined> => {
    const path = pathOf(root, key)
    let handle: FileHandle | undefined
    try {
      if (!(await isItself(path))) return undefined
      // O_NONBLOCK: a named pipe in the folder must not hold us up.
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      const stat = await handle.stat({ bigint: true })
      if (stat.isFile()) return { handle, info: infoOf(key, stat) }
      await handle.close()
      return undefined
    } catch (error) {
      await handle?.close()
      if (isAbsence(error)) return undefined
      throw folderError(error, key)
    }
  }

  const openRange = async (key: string, start: number, end: number, etag?: string): Promise<OpenObject> => {
    const object = await openObject(key)
    if (object === undefined)
      throw new HtsvaultError('OBJECT_GONE', 'there is no such object', { place: { file: key } })
    try {
      checkEtag(object.info, etag)
      checkRange(start, end, object.info.size)
      return object
    } catch (error) {
      await object.handle.close()
      throw error
    }
  }

  /** Says so where somebody wrote into the file itself while it was read. */
  const checkUnchanged = async (object: OpenObject, etag: string | undefined) => {
    if (etag !== undefined)
      checkEtag(infoOf(object.info.key, await object.handle.stat({ bigint: true })), etag)
  }

  const publish = async (key: string, handle: FileHandle, temporary: string, condition?: PutCondition) => {
    const path = pathOf(root, key)
    const time = nextTime()
    await handle.utimes(time, time)
    await handle.sync()
    const info = infoOf(key, await handle.stat({ bigint: true }))
    await withLock(path, async () => {
      const before = await existingFolder(path)
      if (!(await isItself(before)))
        throw new HtsvaultError('INVALID_KEY', 'a part of the name is a symbolic link', {
          place: { file: key },
        })
      await mkdir(dirname(path), { recursive: true })
      if (condition?.ifMatch !== undefined && (await head(key))?.etag !== condition.ifMatch)
        throw preconditionFailed(key)
      if (condition?.ifAbsent === true) await publishNew(key, temporary, path)
      else await rename(temporary, path)
      for (let folder = dirname(path); ; folder = dirname(folder)) {
        await syncFolder(folder)
        if (folder === before || folder === root) break
      }
    })
    return info
  }

  const create = async (key: string) => {
    pathOf(root, key)
    try {
      const temporary = temporaryName()
      const handle = await open(temporary, 'wx', 0o600)
      return folderUpload(key, handle, {
        publish: (written, condition) => publish(key, written, temporary, condition),
        discard: () => unlink(temporary).catch(() => undefined),
      })
    } catch (error) {
      throw folderError(error, key)
    }
  }

  return {
    head,
    create,

    async get(key, maxBytes) {
      const object = await openObject(key)
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
      const object = await openRange(key, start, end, etag)
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
      const object = await openRange(key, start, end, etag)
      // Two are enough: who asks for a piece is done with the one before, while the next is read.
      const buffers = reuse ? [ioBuffer(chunkBytes), ioBuffer(chunkBytes)] : undefined
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
      const upload = await create(key)
      try {
        await upload.write(bytes)
      } catch (error) {
        await upload.abort()
        throw error
      }
      return upload.complete(condition)
    },

    parts: folderParts(root, { temporaryName, publish }),

    async delete(key, ifMatch) {
      const path = pathOf(root, key)
      return withLock(path, async () => {
        const info = await head(key)
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

interface OpenObject {
  readonly handle: FileHandle
  readonly info: ObjectInfo
}

/**
 * Size and time of change name a version. The inode is left out: with it, a data folder that was moved or restored
 * (`cp -a`, `rsync -a`) would hold other versions than its manifests name.
 */
const infoOf = (key: string, stat: BigIntStats): ObjectInfo => ({
  key,
  size: Number(stat.size),
  etag: `${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}`,
  modified: new Date(Number(stat.mtimeMs)),
})

let lastTime = 0

/** A time in seconds that no object written before it by this process has: the kernel's own clock ticks every 4 ms. */
function nextTime(): number {
  lastTime = Math.max(Date.now() * 1000, lastTime + 1)
  return lastTime / 1e6
}

function checkEtag(info: ObjectInfo, etag: string | undefined): void {
  if (etag !== undefined && info.etag !== etag)
    throw new HtsvaultError('OBJECT_CHANGED', 'the object is no longer the one that was asked for', {
      place: { file: info.key },
    })
}

const preconditionFailed = (key: string) =>
  new HtsvaultError('PRECONDITION_FAILED', 'the object is not, or no longer, as the condition says', {
    place: { file: key },
  })

/** Gives a file a name that nothing has yet: a hard link fails where there is one, a rename would not. */
async function publishNew(key: string, temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (failedWith(error, 'EEXIST')) throw preconditionFailed(key)
    if (!failedWith(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
    // A file system without hard links: exact among this process's stores only.
    if ((await lstat(path).catch(() => undefined)) !== undefined) throw preconditionFailed(key)
    await rename(temporary, path)
    return
  }
  await unlink(temporary)
}

async function readExactly<B extends Uint8Array>(handle: FileHandle, start: number, bytes: B): Promise<B> {
  const end = start + bytes.length
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
    if (bytesRead === 0)
      throw new HtsvaultError('SHORT_READ', `the file ended at byte ${start + at}, ${end} were expected`)
    at += bytesRead
  }
  return bytes
}

/** Puts a folder's entries on the disk, where the system lets a folder be opened for that. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined
  try {
    handle = await open(folder, constants.O_RDONLY)
    await handle.sync()
  } catch (error) {
    if (!failedWith(error, 'EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP')) throw error
  } finally {
    await handle?.close()
  }
}
