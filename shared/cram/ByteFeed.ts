import { crc32 } from 'node:zlib'

/**
 * The bytes of a file as they come, chunk by chunk, for a reader that asks for them by the piece.
 *
 * What a chunk has more than the reader took yet is not copied; only a piece that lies across chunks is put together.
 */
export class ByteFeed {
  /** Offset in the file of the next byte. */
  offset = 0
  /** Whether the file has no more bytes than are held. */
  ended = false

  /** What is left of earlier chunks, with as much of this one as was asked for: read before the chunk. */
  #carry = new Uint8Array(0)
  #carryAt = 0
  #carryEnd = 0
  #chunk: Uint8Array = new Uint8Array(0)
  #chunkAt = 0
  #record: Uint8Array[] | undefined

  /** How many bytes can be had at once. */
  get held(): number {
    return this.#carryEnd - this.#carryAt + (this.#chunk.length - this.#chunkAt)
  }

  /** The next chunk; what is left of the one before is kept by `release`. */
  give(chunk: Uint8Array): void {
    // A Buffer's `slice` would be no copy.
    this.#chunk = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    this.#chunkAt = 0
  }

  /** Copies what the chunk still has, so that it can be given back to its owner. */
  release(): void {
    this.#pull(this.#chunk.length - this.#chunkAt)
    this.#chunk = new Uint8Array(0)
    this.#chunkAt = 0
  }

  /** The next `size` bytes, of those that are held, without taking them: a view that is good until the next call. */
  peek(size: number): Uint8Array {
    const carried = this.#carryEnd - this.#carryAt
    if (carried === 0) return this.#chunk.subarray(this.#chunkAt, this.#chunkAt + size)
    if (carried < size) this.#pull(Math.min(size - carried, this.#chunk.length - this.#chunkAt))
    return this.#carry.subarray(this.#carryAt, Math.min(this.#carryAt + size, this.#carryEnd))
  }

  /** Takes `size` bytes that are held. */
  advance(size: number): void {
    this.#record?.push(this.peek(size).slice())
    this.offset += size
    const carried = this.#carryEnd - this.#carryAt
    if (size < carried) this.#carryAt += size
    else {
      this.#carryAt = this.#carryEnd = 0
      this.#chunkAt += size - carried
    }
  }

  /** Takes up to `size` of the bytes that are held and adds them to a CRC32. */
  sum(size: number, crc: number): { taken: number; crc: number } {
    const carried = this.#carryEnd - this.#carryAt
    const bytes =
      carried > 0
        ? this.#carry.subarray(this.#carryAt, Math.min(this.#carryAt + size, this.#carryEnd))
        : this.#chunk.subarray(this.#chunkAt, this.#chunkAt + size)
    const summed = crc32(bytes, crc)
    this.advance(bytes.length)
    return { taken: bytes.length, crc: summed }
  }

  /** From here on, keeps a copy of what is taken. */
  startRecord(): void {
    this.#record = []
  }

  /** What was taken since `startRecord`. */
  endRecord(): Uint8Array {
    const parts = this.#record ?? []
    this.#record = undefined
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }

  /** Moves bytes of the chunk to the end of what is carried. */
  #pull(size: number): void {
    if (size === 0) return
    const carried = this.#carryEnd - this.#carryAt
    if (this.#carryEnd + size > this.#carry.length) {
      // Grows by half at least: a long piece in many small chunks is not copied over and over.
      const room = carried + size > this.#carry.length
      const to = room ? new Uint8Array(Math.max(256, Math.ceil((carried + size) * 1.5))) : this.#carry
      to.set(this.#carry.subarray(this.#carryAt, this.#carryEnd))
      this.#carry = to
      this.#carryAt = 0
      this.#carryEnd = carried
    }
    this.#carry.set(this.#chunk.subarray(this.#chunkAt, this.#chunkAt + size), this.#carryEnd)
    this.#carryEnd += size
    this.#chunkAt += size
  }
}
