import type { ByteRange } from '#shared/bytes/ByteRange.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { ReplyHeaders } from '../Exchange.ts'
import type { TicketBlock } from '../Ticket.ts'
import type { Reply } from '../transport.ts'
import { formatRange, parseContentRange, parseRangeHeader, rangeHeaderOf, withRange } from './byteRange.ts'

/**
 * Knows which bytes of a block have come, what to ask for next, and which bytes of a reply are new. A block is bytes
 * `start` to `end` of what its URL stands for: all of it, or those of the ticket's own `Range`.
 */
export class BlockReceiver {
  /** Bytes of the block that have come. */
  received = 0
  /** Undefined until it is known: a `Range` in a form that only the server can resolve. */
  #start: number | undefined
  /** Infinity until it is known. */
  #end: number
  /** Of the thing behind the URL, as the first reply that told had it. */
  #total = Infinity
  #etag: string | undefined
  #keepsRange = false
  /** Where the present reply ends in that thing. */
  #served = Infinity
  /** Bytes of the present reply to pass over, which had come before. */
  #skip = 0

  constructor(block: TicketBlock) {
    const header = rangeHeaderOf(block.headers)
    const range = header === undefined ? { start: 0, end: Infinity } : parseRangeHeader(header)
    this.#start = range?.start
    this.#end = range?.end ?? Infinity
  }

  /** Whether all of it has come, as far as its length is known. */
  isComplete(): boolean {
    return this.#start !== undefined && this.#start + this.received >= this.#end
  }

  /**
   * A request for what is missing was refused: whether to ask for all again, and pass over what had come. A URL that
   * storage signed together with its `Range` is good for no other.
   */
  keepRange(block: TicketBlock): boolean {
    const wasChanged = this.headers(block) !== block.headers && rangeHeaderOf(block.headers) !== undefined
    this.#keepsRange ||= wasChanged
    return wasChanged
  }

  /** The headers for what is missing: the ticket's own as they are, as long as nothing has come. */
  headers(block: TicketBlock): Readonly<Record<string, string>> {
    if (this.received === 0 || this.#start === undefined || this.#keepsRange) return block.headers
    return withRange(block.headers, formatRange({ start: this.#start + this.received, end: this.#end }))
  }

  /**
   * Takes the head of a reply of 200 or 206.
   * @throws HtsvaultError BLOCK_CHANGED where it is not of the thing whose begin has come, BLOCK_INVALID where it is not
   * what was asked for
   */
  begin({ status, headers }: Reply): void {
    this.#checkEtag(headers.get('etag'))
    const served = servedRange(status, headers)
    this.#start ??= status === 206 ? served.start : undefined
    if (this.#start === undefined) throw notAsked('all where it was asked for its end')
    if (served.total !== Infinity) {
      if (this.#total !== Infinity && this.#total !== served.total) throw changed()
      this.#total = served.total
      this.#end = Math.min(this.#end, served.total)
    }
    if (this.#end < this.#start + this.received) throw changed()
    this.#served = served.end
    this.#skip = this.#start + this.received - served.start
    if (this.#skip < 0) throw notAsked('bytes from further on than asked for')
  }

  /** What of a reply's next bytes is new and belongs to the block. */
  take(chunk: Uint8Array): Uint8Array {
    const from = Math.min(this.#skip, chunk.length)
    this.#skip -= from
    const fresh = chunk.subarray(
      from,
      Math.min(chunk.length, from + this.#end - this.#start! - this.received),
    )
    this.received += fresh.length
    return fresh
  }

  /** A reply came to its regular end: whether the block is whole. */
  ended(): boolean {
    if (this.#skip > 0) return false
    // Without a length said, the end of the reply is that of the block.
    if (this.#end === Infinity) this.#end = this.#start! + this.received
    return this.isComplete()
  }

  /** 416 says that nothing is behind what has come: whether the block is whole. */
  isAllOf(contentRange: string | null): boolean {
    const total = /^\s*bytes\s+\*\/(\d{1,15})\s*$/i.exec(contentRange ?? '')?.[1]
    return this.received > 0 && total !== undefined && this.#start! + this.received === Number(total)
  }

  #checkEtag(etag: string | null): void {
    if (etag === null || etag.startsWith('W/')) return
    if (this.#etag !== undefined && this.#etag !== etag && this.received > 0) throw changed()
    this.#etag = etag
  }
}

/** Which bytes of the thing a reply has, and how many there are; Infinity where that is not said. */
function servedRange(status: number, headers: ReplyHeaders): ByteRange & { total: number } {
  const encoded = (headers.get('content-encoding') ?? 'identity') !== 'identity'
  if (status === 200) {
    const length = headers.get('content-length')
    const total = encoded || length === null || !/^\d{1,15}$/.test(length) ? Infinity : Number(length)
    return { start: 0, end: total, total }
  }
  const range = parseContentRange(headers.get('content-range'))
  if (!range) throw notAsked('a part without saying which')
  if (encoded) throw notAsked('a part of something compressed')
  return range
}

const notAsked = (what: string): HtsvaultError =>
  new HtsvaultError('BLOCK_INVALID', `a server answered ${what}`, {
    hint: 'The server, or a proxy before it, does not serve byte ranges as HTTP has them: tell who runs it.',
  })

const changed = (): HtsvaultError =>
  new HtsvaultError('BLOCK_CHANGED', 'the file changed on the server while it was being read', {
    hint: 'Start again: what was written so far is not to be used.',
  })
