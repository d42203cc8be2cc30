import type { RecordColumns } from '#shared/columns/RecordColumns.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { ByteFeed } from '../ByteFeed.ts'
import { containerHeaderLimit, containerHeaderPeek, readContainerHeader } from '../ContainerHeader.ts'
import type { FileDefinition } from '../FileDefinition.ts'
import { filterContainer } from './filterContainer.ts'

/** A longer container, in bytes, is not held to be filtered: it goes by as it is. Usual ones have under 20 MB. */
const maxHeldBytes = 1 << 26

/**
 * Filters whole data containers that come in chunks of any size, one after the other. Memory: a container, twice.
 * What cannot be read as containers goes by as it is.
 */
export async function* filterCram(
  chunks: AsyncIterable<Uint8Array>,
  definition: FileDefinition,
  columns: RecordColumns,
): AsyncGenerator<Uint8Array> {
  const feed = new ByteFeed()
  const run = filterContainers(feed, definition, columns)
  const advance = function* () {
    for (;;) {
      const { value, done } = run.next()
      if (done || value === undefined) return
      yield value
    }
  }
  for await (const chunk of chunks) {
    feed.give(chunk)
    yield* advance()
    feed.release()
  }
  feed.ended = true
  yield* advance()
}

/** Yields bytes, or undefined where it needs more of the feed. */
function* filterContainers(
  feed: ByteFeed,
  definition: FileDefinition,
  columns: RecordColumns,
): Generator<Uint8Array | undefined, void> {
  for (;;) {
    yield* hold(feed, containerHeaderPeek)
    if (feed.held === 0) return
    const size = yield* containerSize(feed, definition)
    if (size <= maxHeldBytes) yield* hold(feed, size)
    if (feed.held < size) {
      yield* pass(feed, size)
      continue
    }
    // A copy: what is yielded is kept by the reader when the feed has gone on.
    const container = feed.peek(size).slice()
    feed.advance(size)
    yield filterContainer(container, definition, columns)
  }
}

/** Waits until so many bytes are held, or there are no more. */
function* hold(feed: ByteFeed, size: number): Generator<undefined, void> {
  while (feed.held < size && !feed.ended) yield undefined
}

/** Hands on so many bytes, or all that there are, as they are. */
function* pass(feed: ByteFeed, size: number): Generator<Uint8Array | undefined, void> {
  for (let left = size; left > 0;) {
    yield* hold(feed, 1)
    const bytes = feed.peek(Math.min(left, feed.held)).slice()
    if (bytes.length === 0) return
    feed.advance(bytes.length)
    left -= bytes.length
    yield bytes
  }
}

/** Of the container that comes next, header and all, in bytes; Infinity where it is none. */
function* containerSize(feed: ByteFeed, definition: FileDefinition): Generator<undefined, number> {
  try {
    const limit = containerHeaderLimit(feed.peek(Math.min(containerHeaderPeek, feed.held)), definition)
    yield* hold(feed, limit)
    const { headerBytes, length } = readContainerHeader(feed.peek(Math.min(limit, feed.held)), definition)
    return headerBytes + length
  } catch (error) {
    if (error instanceof HtsvaultError) return Infinity
    throw error
  }
}
