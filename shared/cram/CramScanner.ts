import { HtsvaultError, type Place } from '#shared/errors.ts'
import { BlockFeed } from './BlockFeed.ts'
import { content } from './BlockHeader.ts'
import { inflateBlock } from './codecs/inflateBlock.ts'
import { readCompressionHeader, type CompressionHeader } from './CompressionHeader.ts'
import { marksEnd, severalReferences, type ContainerHeader } from './ContainerHeader.ts'
import { corrupt, tooLarge } from './cramErrors.ts'
import { core } from './encodings/Encoding.ts'
import type { StoredBlock } from './encodings/SliceData.ts'
import { fileDefinitionBytes, readFileDefinition, type FileDefinition } from './FileDefinition.ts'
import { maxHeaderBytes, maxInflatedBytes } from './limits.ts'
import { planSeries } from './slices/planSeries.ts'
import { readExtents, type TakeExtent } from './slices/readExtents.ts'
import { readSliceHeader, type SliceHeader } from './SliceHeader.ts'

/** A slice as it goes by. */
export interface ScannedSlice {
  /** Offset of its container in the file. */
  readonly containerOffset: number
  readonly container: ContainerHeader
  /** Offset of the slice in the file. */
  readonly offset: number
  /** Offset of the slice from the end of the container's header, in bytes. */
  readonly landmark: number
  /** Of its header block and data blocks, in bytes. */
  readonly size: number
  readonly header: SliceHeader
  /** For a slice of several references alone: tells where each record lies. @throws what readExtents throws */
  extents(take: TakeExtent): void
}

/** What a file's scan tells, in the order of the file. */
export interface CramSink {
  /** The inflated first block of the header container, and the file's bytes up to the first data container. */
  header(definition: FileDefinition, samHeader: Uint8Array, prefix: Uint8Array): void
  slice(slice: ScannedSlice): void
}

/** The stretch of a file that a scanner takes: containers that begin from `start` on and before `limit`. */
export interface CramRange {
  readonly start: number
  readonly limit: number
  readonly definition: FileDefinition
}

/**
 * Reads a CRAM file chunk by chunk (CRAMv3 §6 to §9): the headers of containers, blocks and slices; of the bodies
 * only the checksums, but for slices of several references the blocks that tell where records lie. Memory: the SAM
 * header, or one slice's blocks.
 */
export class CramScanner {
  readonly #blocks = new BlockFeed()
  readonly #feed = this.#blocks.bytes
  readonly #sink: CramSink
  readonly #run: Generator<void, void>
  readonly #limit: number
  #done = false
  /** The last container, where it marks the end of the file. */
  #eof: { offset: number; bytes: Uint8Array } | undefined

  /** `range`: takes the containers there alone, of a file whose header is known. */
  constructor(sink: CramSink, range?: CramRange) {
    this.#sink = sink
    this.#limit = range?.limit ?? Infinity
    this.#run = range ? this.#containers() : this.#file()
    if (range) {
      this.#blocks.definition = range.definition
      this.#feed.offset = this.#blocks.place = range.start
    }
  }

  /** Where the last whole container ended, once the limit was met. */
  get end(): number {
    return this.#feed.offset
  }

  /** Whether a container beyond the limit has been met: no more bytes are wanted. */
  get done(): boolean {
    return this.#done
  }

  /** @throws HtsvaultError CRAM_CORRUPT, CRAM_CRC, CRAM_TOO_LARGE, CRAM_UNSUPPORTED, CRAM_VERSION, NOT_CRAM,
   * TRAILING_DATA, with the place */
  push(chunk: Uint8Array): void {
    this.#feed.give(chunk)
    this.#advance()
    this.#feed.release()
  }

  /**
   * Says that there are no more bytes; gives the EOF container and where it stands.
   * @throws HtsvaultError CRAM_TRUNCATED, CRAM_NO_EOF, and as `push`
   */
  finish(): { offset: number; bytes: Uint8Array; size: number } {
    this.#feed.ended = true
    this.#advance()
    const size = this.#feed.offset
    if (!this.#eof)
      throw new HtsvaultError('CRAM_NO_EOF', 'the file does not end with an EOF container', {
        place: { offset: size },
        hint: 'The file was cut off, or its writer did not finish: compare its size with the source and copy it again.',
      })
    return { ...this.#eof, size }
  }

  get place(): Place {
    return { offset: this.#blocks.place }
  }

  #advance(): void {
    if (this.#done) return
    try {
      this.#done = this.#run.next().done === true
    } catch (error) {
      throw error instanceof HtsvaultError ? error.at(this.place) : error
    }
  }

  *#file(): Generator<void, void> {
    const feed = this.#feed
    feed.startRecord()
    yield* this.#blocks.await(fileDefinitionBytes)
    this.#blocks.definition = readFileDefinition(feed.peek(fileDefinitionBytes))
    feed.advance(fileDefinitionBytes)
    const samHeader = yield* this.#headerContainer()
    this.#sink.header(this.#blocks.definition, samHeader, feed.endRecord())
    yield* this.#containers()
  }

  *#containers(): Generator<void, void> {
    const feed = this.#feed
    // What follows a container that marks an end is of the same stretch: nothing, or a file that was joined to it.
    while (feed.offset < this.#limit || this.#eof) {
      this.#blocks.place = feed.offset
      yield* this.#blocks.await(1)
      if (feed.held === 0) return
      yield* this.#container()
    }
  }

  /** The SAM header is the first block of a container of its own; more blocks and padding may follow (CRAMv3 §7.1). */
  *#headerContainer(): Generator<void, Uint8Array> {
    const feed = this.#feed
    const header = yield* this.#blocks.containerHeader()
    if (header.length > maxHeaderBytes)
      throw tooLarge(`the header's container has ${header.length} bytes, ${maxHeaderBytes} are allowed`)
    if (header.blocks < 1) throw corrupt("the header's container has no block")
    const start = feed.offset
    // Some writers of 2.1 declared it two bytes shorter than its blocks are: these are what counts.
    const left = () => maxHeaderBytes - (feed.offset - start)
    const first = yield* this.#blocks.keep(left())
    if (first.header.content !== content.fileHeader) throw corrupt('the first block is not a SAM header')
    const samHeader = inflateBlock(first.header, first.bytes)
    for (let i = 1; i < header.blocks; i++) yield* this.#blocks.skip(yield* this.#blocks.header(left()))
    const padding = header.length - (feed.offset - start)
    if (padding > 0) {
      yield* this.#blocks.need(padding)
      feed.advance(padding)
    }
    return samHeader
  }

  *#container(): Generator<void, void> {
    const feed = this.#feed
    const offset = feed.offset
    const afterEof = this.#eof !== undefined
    this.#eof = undefined
    feed.startRecord()
    const header = yield* this.#blocks.containerHeader(afterEof)
    if (!marksEnd(header)) feed.endRecord()
    const end = feed.offset + header.length
    const start = feed.offset
    let compression: CompressionHeader | undefined
    if (header.length > 0) {
      const block = yield* this.#blocks.keep(header.length)
      if (block.header.content !== content.compressionHeader)
        throw corrupt('a container does not begin with a compression header')
      compression = readCompressionHeader(inflateBlock(block.header, block.bytes))
    }
    for (const landmark of header.landmarks) {
      if (feed.offset - start !== landmark) throw corrupt('a slice is not where its container says')
      if (!compression) throw corrupt('a container has slices but no length')
      yield* this.#slice(offset, header, landmark, end, compression)
    }
    // Containers without slices (the EOF marker is one) may hold blocks all the same.
    while (header.landmarks.length === 0 && feed.offset < end)
      yield* this.#blocks.skip(yield* this.#blocks.header(end - feed.offset))
    if (feed.offset !== end) throw corrupt('a container is longer than its blocks')
    if (marksEnd(header)) this.#eof = { offset, bytes: feed.endRecord() }
  }

  *#slice(
    containerOffset: number,
    container: ContainerHeader,
    landmark: number,
    end: number,
    compression: CompressionHeader,
  ): Generator<void, void> {
    const feed = this.#feed
    const start = feed.offset
    const block = yield* this.#blocks.keep(end - start)
    if (block.header.content !== content.sliceHeader) throw corrupt('a slice does not begin with its header')
    const header = readSliceHeader(inflateBlock(block.header, block.bytes), this.#blocks.definition.major)
    const plan = header.refId === severalReferences ? planSeries(compression) : undefined
    const kept: StoredBlock[] = []
    let keptBytes = 0
    for (let i = 0; i < header.blocks; i++) {
      const blockHeader = yield* this.#blocks.header(end - feed.offset)
      const id = blockHeader.content === content.core ? core : blockHeader.contentId
      if (!plan?.blocks.has(id)) yield* this.#blocks.skip(blockHeader)
      else {
        keptBytes += blockHeader.size
        if (keptBytes > maxInflatedBytes)
          throw tooLarge(`a slice has over ${maxInflatedBytes} bytes of positions`)
        kept.push({ header: blockHeader, bytes: yield* this.#blocks.body(blockHeader) })
      }
    }
    this.#blocks.place = start
    const size = feed.offset - start
    const extents = (take: TakeExtent) => {
      if (plan) readExtents(compression, plan, header, size, kept, take)
    }
    this.#sink.slice({ containerOffset, container, offset: start, landmark, size, header, extents })
  }
}
