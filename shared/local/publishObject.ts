import { constants } from 'node:fs'
import { link, lstat, mkdir, open, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectInfo, PutCondition } from '#shared/vault/ports/ObjectStore.ts'
import { failedWith } from './folderErrors.ts'
import { existingFolder, isItself, pathOf } from './folderKeys.ts'
import { headObject, infoOf } from './folderObject.ts'
import { withLock } from './keyLocks.ts'

/**
 * Gives a written file the name of an object, once its bytes are on the disk.
 * @throws HtsvaultError PRECONDITION_FAILED, INVALID_KEY; what a system call throws, as it is
 */
export async function publishObject(
  root: string,
  key: string,
  handle: FileHandle,
  temporary: string,
  condition?: PutCondition,
): Promise<ObjectInfo> {
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
    if (condition?.ifMatch !== undefined && (await headObject(root, key))?.etag !== condition.ifMatch)
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

let lastTime = 0

/** A time in seconds that no object written before it by this process has: the kernel's own clock ticks every 4 ms. */
function nextTime(): number {
  lastTime = Math.max(Date.now() * 1000, lastTime + 1)
  return lastTime / 1e6
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

/** Puts a folder's entries on the disk, where the system lets a folder be opened for that. */
export async function syncFolder(folder: string): Promise<void> {
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
