import { readSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { createFileIndexer } from '#shared/indexes/createFileIndexer.ts'
import type { IndexedFile, IndexKind } from '#shared/indexes/FileIndexer.ts'
import type { FileHeader } from '#shared/indexes/scan/FileHeader.ts'
import { HeaderReader } from '#shared/indexes/shards/HeaderReader.ts'
import { planShards } from '#shared/indexes/shards/planShards.ts'
import { openInput } from '../files/openInput.ts'
import { showProgress } from '../files/progress.ts'
import { readThrough } from '../files/readThrough.ts'
import { indexByThreads } from './shards/indexByThreads.ts'

/** Below this many bytes a thread costs more than it brings; of CRAM, of which headers are read and the rest is summed. */
const threadFrom = 32 << 20
const cramThreadFrom = 1 << 30

/** More threads than this wait for the disk more often than not. */
const mostThreads = 8

/** Shards for each thread: the last ones to end then end at about the same time. */
const shardsPerThread = 8

/**
 * Indexes a file by `threads` threads, or as many as are worth it; one that cannot be read at any place by one.
 * @throws HtsvaultError what is wrong with the file
 */
export async function indexInput(
  path: string,
  format: IndexKind | undefined,
  threads?: number,
): Promise<IndexedFile> {
  const stats = statSync(path)
  const count = threads ?? worthIt(stats.size, threadFrom)
  if (count > 1 && stats.isFile() && stats.size > 0) return inShards(path, stats.size, format, threads)
  const indexer = createFileIndexer(format)
  await readThrough(path, 'Indexing', chunk => indexer.push(chunk))
  return indexer.finish()
}

const worthIt = (size: number, each: number) =>
  Math.min(availableParallelism(), mostThreads, Math.ceil(size / each))

async function inShards(
  path: string,
  size: number,
  format: IndexKind | undefined,
  threads: number | undefined,
): Promise<IndexedFile> {
  const input = openInput(path)
  const progress = showProgress(`Indexing ${basename(path)}`, size)
  try {
    const header = readHeader(input.fd, format)
    const count = threads ?? worthIt(size, header.format === 'CRAM' ? cramThreadFrom : threadFrom)
    const ranges = planShards(size, { count: count === 1 ? 1 : count * shardsPerThread, minBytes: 1 << 16 })
    return await indexByThreads(input.fd, header, ranges, count, progress.add)
  } finally {
    progress.stop()
    input.close()
  }
}

function readHeader(fd: number, format: IndexKind | undefined): FileHeader {
  const reader = new HeaderReader(format)
  const chunk = new Uint8Array(1 << 17)
  for (let at = 0; ;) {
    const size = readSync(fd, chunk, 0, chunk.length, at)
    if (size === 0) return reader.finish()
    at += size
    const header = reader.push(chunk.subarray(0, size))
    if (header) return header
  }
}
