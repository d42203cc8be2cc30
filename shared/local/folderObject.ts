import { constants } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { checkRange } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectInfo } from '#shared/vault/ports/ObjectStore.ts'
import { folderError, isAbsence } from './folderErrors.ts'
import { isItself, pathOf } from './folderKeys.ts'

/** An object of a folder, open for reading: whoever asked for it closes it. */
export interface OpenObject {
  readonly handle: FileHandle
  readonly info: ObjectInfo
}

/**
 * Size and time of change name a version. The inode is left out: with it, a data folder that was moved or restored
 * (`cp -a`, `rsync -a`) would hold other versions than its manifests name.
 */
export const infoOf = (key: string, stat: BigIntStats): ObjectInfo => ({
  key,
  size: Number(stat.size),
  etag: `${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}`,
  modified: new Date(Number(stat.mtimeMs)),
})

/** What there is under a key. @throws HtsvaultError as folderError */
export async function headObject(root: string, key: string): Promise<ObjectInfo | undefined> {
  const path = pathOf(root, key)
  try {
    const stat = await lstat(path, { bigint: true })
    return stat.isFile() && (await isItself(path)) ? infoOf(key, stat) : undefined
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw folderError(error, key)
  }
}

/**
 * Opens an object for reading; a writer that replaces it meanwhile does not touch what is read.
 * @throws HtsvaultError as folderError
 */
export async function openObject(root: string, key: string): Promise<OpenObject | undefined> {
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

/** Opens an object of that version for reading within it. @throws HtsvaultError OBJECT_GONE, OBJECT_CHANGED, and as folderError */
export async function openRange(
  root: string,
  key: string,
  start: number,
  end: number,
  etag?: string,
): Promise<OpenObject> {
  const object = await openObject(root, key)
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

/** Says so where somebody wrote into the file itself while it was read. @throws HtsvaultError OBJECT_CHANGED */
export async function checkUnchanged(object: OpenObject, etag: string | undefined): Promise<void> {
  if (etag !== undefined) checkEtag(infoOf(object.info.key, await object.handle.stat({ bigint: true })), etag)
}

function checkEtag(info: ObjectInfo, etag: string | undefined): void {
  if (etag !== undefined && info.etag !== etag)
    throw new HtsvaultError('OBJECT_CHANGED', 'the object is no longer the one that was asked for', {
      place: { file: info.key },
    })
}

/** So many bytes from `start`, into `bytes`. @throws HtsvaultError SHORT_READ */
export async function readExactly<B extends Uint8Array>(
  handle: FileHandle,
  start: number,
  bytes: B,
): Promise<B> {
  const end = start + bytes.length
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
    if (bytesRead === 0)
      throw new HtsvaultError('SHORT_READ', `the file ended at byte ${start + at}, ${end} were expected`)
    at += bytesRead
  }
  return bytes
}
