import { basename } from 'node:path'
import { readFd } from './fdStreams.ts'
import { openInput } from './openInput.ts'
import { showProgress } from './progress.ts'

/**
 * Gives a file, or a pipe that has a name, to `take` from its first byte to its last, with a progress bar for a long
 * one. A chunk holds only until `take` is done with it.
 * @throws HtsvaultError FILE_NOT_FOUND, FILE_FORBIDDEN, FILE_FAILED; what `take` throws
 */
export async function readThrough(
  path: string,
  doing: string,
  take: (chunk: Uint8Array) => Promise<void> | void,
): Promise<void> {
  const input = openInput(path)
  const progress = showProgress(`${doing} ${basename(path)}`, input.source.size)
  try {
    for await (const chunk of readFd(input.fd, path, { ahead: input.source.size > 0 })) {
      await take(chunk)
      progress.add(chunk.length)
    }
  } finally {
    progress.stop()
    input.close()
  }
}
