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

/** Below this many bytes a thread costs more than it brings. */
const threadFrom = 32 << 20

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
  const worth = Math.min(availableParallelism(), mostThreads, Math.ceil(stats.size / threadFrom))
  const count = threads ?? worth
  if (count > 1 && stats.isFile() && stats.size > 0) return inShards(path, stats.size, format, count)
  const indexer = createFileIndexer(format)
  await readThrough(path, 'Indexing', chunk => indexer.push(chunk))
  return indexer.finish()
}

async function inShards(
  path: string,
  size: number,
  format: IndexKind | undefined,
  threads: number,
): Promise<IndexedFile> {
  const input = openInput(path)
  const progress = showProgress(`Indexing ${basename(path)}`, size)
  try {
    const header = readHeader(input.fd, format)
    const ranges = planShards(size, { count: threads * shardsPerThread, minBytes: 1 << 16 })
    return await indexByThreads(input.fd, header, ranges, threads, progress.add)
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
