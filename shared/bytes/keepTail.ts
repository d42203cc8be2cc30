import type { ByteSource } from './ByteSource.ts'

/** The same source with its last `length` bytes in memory, by one read: what lies in them is not read again. */
export async function keepTail(source: ByteSource, length: number): Promise<ByteSource> {
  const from = Math.max(0, source.size - length)
  const tail = await source.read(from, source.size)
  return {
    ...source,
    read: async (start, end) =>
      start >= from && start <= end && end <= source.size
        ? tail.subarray(start - from, end - from)
        : source.read(start, end),
  }
}
