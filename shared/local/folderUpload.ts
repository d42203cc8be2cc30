import type { FileHandle } from 'node:fs/promises'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { ObjectInfo, PutCondition, Upload } from '#shared/vault/ports/ObjectStore.ts'
import { folderError } from './folderErrors.ts'
import { ioBuffer } from './ioBuffer.ts'

/** Small chunks are gathered to writes of this many bytes. */
const bufferBytes = 1 << 20
/** After so many bytes the disk is told to begin: otherwise all of a large file would wait for it at the end. */
const syncBytes = 64 << 20

export interface UploadEnds {
  /** Gives the finished file its name; the handle is closed by the caller. */
  publish(handle: FileHandle, condition: PutCondition | undefined): Promise<ObjectInfo>
  /** Removes the unfinished file; never throws. */
  discard(): Promise<void>
}

/**
 * An upload into a temporary file: while one buffer is written, the other is filled. They are no larger than what is
 * expected: most objects are small.
 */
export function folderUpload(
  key: string,
  handle: FileHandle,
  ends: UploadEnds,
  expectedBytes = bufferBytes,
): Upload {
  const size = Math.min(bufferBytes, Math.max(1, expectedBytes))
  let filling: Uint8Array<ArrayBuffer> | undefined
  let other: Uint8Array<ArrayBuffer> | undefined
  let filled = 0
  let writing: Promise<void> = Promise.resolve()
  let syncing: Promise<void> = Promise.resolve()
  let unsynced = 0
  let crc = 0n
  let open = true

  const flush = async () => {
    await writing
    const full = filling!
    writing = writeAll(handle, full.subarray(0, filled))
    // Its failure is thrown by the next call that awaits it; until then nobody listens.
    writing.catch(() => undefined)
    filling = other
    other = full
    unsynced += filled
    filled = 0
    if (unsynced < syncBytes) return
    unsynced = 0
    syncing = syncing.then(() => handle.datasync())
    // As above. It must be heard of: the disk tells of a failure once.
    syncing.catch(() => undefined)
  }

  const end = async () => {
    open = false
    await Promise.allSettled([writing, syncing])
    await handle.close().catch(() => undefined)
  }

  const checkOpen = () => {
    if (!open) throw new HtsvaultError('UPLOAD_ENDED', 'the upload was completed or aborted before')
  }

  return {
    async write(chunk) {
      checkOpen()
      try {
        crc = crc64nvme(chunk, crc)
        for (let at = 0; at < chunk.length;) {
          filling ??= ioBuffer(size)
          const piece = chunk.subarray(at, at + size - filled)
          filling.set(piece, filled)
          filled += piece.length
          at += piece.length
          if (filled === size) await flush()
        }
      } catch (error) {
        throw folderError(error, key)
      }
    },
    async complete(condition) {
      checkOpen()
      open = false
      try {
        if (filled > 0) await flush()
        await Promise.all([writing, syncing])
        const info = await ends.publish(handle, condition)
        return { ...info, crc64nvme: writeCrc64nvme(crc) }
      } catch (error) {
        await ends.discard()
        throw folderError(error, key)
      } finally {
        await end()
      }
    },
    async abort() {
      if (!open) return
      await end()
      await ends.discard()
    },
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at)
    at += bytesWritten
  }
}
