import { mkdir, open, readdir, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { crc64nvme, readCrc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { joinParts, type KeptPart } from '#shared/vault/joinParts.ts'
import { copiedBytes, copiedCrc } from '#shared/vault/ports/copiedBytes.ts'
import type { ObjectPart, PartUploads } from '#shared/vault/ports/ObjectStore.ts'
import { folderError, isAbsence } from './folderErrors.ts'
import { pathOf } from './folderKeys.ts'
import { openRange, readExactly } from './folderObject.ts'
import { ioBuffer } from './ioBuffer.ts'
import { withLock } from './keyLocks.ts'
import { publishObject } from './publishObject.ts'
import { temporaryFolder } from './temporaryArea.ts'

/** How much of an object is summed at once, in bytes. */
const sumBytes = 1 << 20

/**
 * Uploads by parts in a folder: each is a folder of its own, with the file, into which every part is written where it
 * belongs, and a file for every part that is there, which holds its size and its sum. Parts of one number are written one after another among
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
    { number, offset, crc64nvme: crc }: Omit<ObjectPart, 'bytes'>,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ) => {
    const folder = folderOf(upload)
    const path = join(folder, 'file')
    const notePath = join(folder, String(number))
    await withLock(`${path} ${number}`, async () => {
      let handle: FileHandle | undefined
      let from = offset
      try {
        handle = await open(path, 'r+')
        // A part that is replaced is not there while it is written: it may remain so.
        await rm(notePath, { force: true })
        for await (const bytes of chunks)
          for (let at = 0; at < bytes.length;) {
            const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, from)
            at += bytesWritten
            from += bytesWritten
          }
        const note: PartNote = [from - offset, writeCrc64nvme(crc)]
        await writeFile(notePath, JSON.stringify(note), { mode: 0o600 })
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

    copy: (key, upload, part) =>
      write(key, upload, { ...part, crc64nvme: copiedCrc(part) }, copiedBytes(part)),

    async complete(key, upload, whole, condition) {
      const folder = folderOf(upload)
      const path = join(folder, 'file')
      let handle: FileHandle | undefined
      try {
        const parts = await readNotes(folder)
        handle = await open(path, 'r+')
        const crc = joinParts(parts, whole)
        const info = await publishObject(root, key, handle, path, condition)
        await rm(folder, { recursive: true, force: true })
        return { ...info, ...(crc !== undefined && { crc64nvme: writeCrc64nvme(crc) }) }
      } catch (error) {
        throw failed(error, key)
      } finally {
        await handle?.close()
      }
    },

    async sumOf(key, etag) {
      const { handle, info } = await openRange(root, key, 0, 0, etag)
      try {
        const buffer = ioBuffer(Math.min(info.size, sumBytes))
        let crc = 0n
        for (let at = 0; at < info.size;) {
          const bytes = await readExactly(handle, at, buffer.subarray(0, info.size - at))
          crc = crc64nvme(bytes, crc)
          at += bytes.length
        }
        return writeCrc64nvme(crc)
      } catch (error) {
        throw folderError(error, key)
      } finally {
        await handle.close()
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

/** Size in bytes and CRC-64/NVME, base64, of a part. */
type PartNote = readonly [size: number, sum: string]

async function readNotes(folder: string): Promise<KeptPart[]> {
  const parts: KeptPart[] = []
  for (const name of await readdir(folder)) {
    if (!/^\d+$/.test(name)) continue
    const note = await readFile(join(folder, name), 'utf8')
    // One that was cut off is of a part that somebody is writing.
    if (!note.endsWith(']')) continue
    const [size, sum] = JSON.parse(note) as PartNote
    parts.push({ number: Number(name), size, crc64nvme: readCrc64nvme(sum) })
  }
  return parts
}

const uploadEnded = (cause?: unknown) =>
  new HtsvaultError('UPLOAD_ENDED', 'the upload was completed or aborted before', { cause })
