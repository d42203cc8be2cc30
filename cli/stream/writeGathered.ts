import { writeFd } from '../files/fdStreams.ts'

const batchBytes = 1 << 18

/**
 * Writes all chunks; small ones, as a network gives them, are gathered first, for each write has its price. A large one
 * is written before the next is asked for. @throws HtsvaultError OUTPUT_CLOSED, DISK_FULL
 */
export async function writeGathered(
  chunks: AsyncIterable<Uint8Array>,
  fd: number,
  name: string,
): Promise<void> {
  const batch = new Uint8Array(batchBytes)
  let filled = 0
  const flush = async () => {
    const bytes = batch.subarray(0, filled)
    filled = 0
    if (bytes.length > 0) await writeFd(fd, bytes, name)
  }
  for await (const chunk of chunks) {
    if (filled + chunk.length > batchBytes) await flush()
    if (chunk.length >= batchBytes) await writeFd(fd, chunk, name)
    else {
      batch.set(chunk, filled)
      filled += chunk.length
    }
  }
  await flush()
}
