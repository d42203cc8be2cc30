import { read } from 'node:fs'
import { promisify } from 'node:util'
import { type ByteSource, checkRange } from '#shared/bytes/ByteSource.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { ioBuffer } from '#shared/local/ioBuffer.ts'
import { fileError } from './fileError.ts'

const chunkBytes = 1 << 20
const readAsync = promisify(read)

/** The `size` bytes of an open file, random access; chunks of `stream` hold only until the next is asked for. */
export function fdSource(fd: number, size: number, name: string): ByteSource {
  const fill = async (buffer: Uint8Array, position: number) => {
    for (let at = 0; at < buffer.length;) {
      const { bytesRead } = await readAsync(fd, buffer, at, buffer.length - at, position + at).catch(
        (error: unknown) => {
          throw fileError(error, name)
        },
      )
      if (bytesRead === 0)
        throw new HtsvaultError('SHORT_READ', 'the file got shorter while it was read', {
          place: { file: name },
        })
      at += bytesRead
    }
    return buffer
  }
  return {
    size,
    async read(start, end) {
      checkRange(start, end, size)
      return fill(new Uint8Array(end - start), start)
    },
    async *stream(start, end) {
      checkRange(start, end, size)
      const buffer = ioBuffer(Math.min(chunkBytes, end - start))
      for (let at = start; at < end; at += buffer.length)
        yield await fill(buffer.subarray(0, Math.min(buffer.length, end - at)), at)
    },
  }
}
