import { read, readSync, write, writeSync, writev } from 'node:fs'
import { promisify } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { HtsvaultError } from '#shared/errors.ts'
import { ioBuffer } from '#shared/local/ioBuffer.ts'
import { fileError } from './fileError.ts'

const chunkBytes = 1 << 20
const readAsync = promisify(read)
const writeAsync = promisify(write)
const writevAsync = promisify(writev)

/**
 * An open file, a pipe or standard input as chunks; each holds only until the next is asked for. `ahead`: the next is
 * read meanwhile. Of a file alone: who stops reading a pipe would wait for what may never come.
 */
export async function* readFd(
  fd: number,
  name: string,
  { ahead = false } = {},
): AsyncGenerator<Uint8Array, void> {
  const fill = (buffer: Uint8Array) => {
    const reading = retried(async () => (await readAsync(fd, buffer, 0, chunkBytes, null)).bytesRead, name)
    // Its failure is thrown where it is awaited; until then nobody listens.
    reading.catch(() => undefined)
    return reading
  }
  let [buffer, other] = [ioBuffer(chunkBytes), ahead ? ioBuffer(chunkBytes) : undefined]
  let reading = fill(buffer)
  try {
    for (let bytes; (bytes = await reading) > 0;) {
      const chunk = buffer.subarray(0, bytes)
      if (other) {
        ;[buffer, other] = [other, buffer]
        reading = fill(buffer)
      }
      yield chunk
      if (!other) reading = fill(buffer)
    }
  } finally {
    // The file may be closed after this.
    await reading.catch(() => undefined)
  }
}

/** Writes all of `bytes` where the file or pipe stands. */
export async function writeFd(fd: number, bytes: Uint8Array, name: string): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const from = at
    at += await retried(
      async () => (await writeAsync(fd, bytes, from, bytes.length - from, null)).bytesWritten,
      name,
    )
  }
}

/** As many as Linux takes in one call. */
const maxTogether = 1024

/** Writes all bytes of all chunks where the file or pipe stands, many in one call and without a copy. */
export async function writeAllFd(fd: number, chunks: readonly Uint8Array[], name: string): Promise<void> {
  for (let left = [...chunks]; left.length > 0;) {
    const now = left.slice(0, maxTogether)
    let written = await retried(async () => (await writevAsync(fd, now)).bytesWritten, name)
    let whole = 0
    while (whole < left.length && left[whole]!.length <= written) written -= left[whole++]!.length
    left = left.slice(whole)
    if (written > 0) left[0] = left[0]!.subarray(written)
  }
}

/** A pipe that somebody set non-blocking says EAGAIN where others wait. */
async function retried(io: () => Promise<number>, name: string): Promise<number> {
  for (;;)
    try {
      return await io()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EOF') return 0
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw fileError(error, name)
      await sleep(5)
    }
}

/** Fills `bytes` from a place in a file. @throws HtsvaultError INPUT_CHANGED where the file ends before. */
export function readExactly(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length;) {
    const got = readSync(fd, bytes, at, bytes.length - at, position + at)
    if (got === 0) throw new HtsvaultError('INPUT_CHANGED', 'the file got shorter while it was read')
    at += got
  }
}

/** Writes all of `bytes` at a place in a file. */
export function writeExactly(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, position + at)
}
