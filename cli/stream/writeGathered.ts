import { writeAllFd } from '../files/fdStreams.ts'

const batchBytes = 1 << 20

/**
 * Writes all chunks, which have to be the writer's to keep: small ones, as a network gives them, are written together, for
 * each write has its price. @throws HtsvaultError OUTPUT_CLOSED, DISK_FULL
 */
export async function writeGathered(
  chunks: AsyncIterable<Uint8Array>,
  fd: number,
  name: string,
): Promise<void> {
  let batch: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    batch.push(chunk)
    size += chunk.length
    if (size < batchBytes) continue
    await writeAllFd(fd, batch, name)
    batch = []
    size = 0
  }
  if (size > 0) await writeAllFd(fd, batch, name)
}
