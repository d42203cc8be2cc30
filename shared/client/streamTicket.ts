import { md5 } from '@noble/hashes/legacy.js'
import { HtsvaultError } from '#shared/errors.ts'
import { fetchBlock } from './blocks/fetchBlock.ts'
import { ReadAhead, ReadAheadLimit } from './blocks/ReadAhead.ts'
import { RenewableTicket } from './blocks/RenewableTicket.ts'
import type { Ticket } from './Ticket.ts'
import type { TransportOptions } from './transport.ts'

export interface StreamOptions extends TransportOptions {
  /** How many blocks are fetched at once; default 4. */
  readonly parallel?: number
  /** Bytes that are fetched ahead and held, all blocks together; default 32 MiB. One chunk a block may come on top. */
  readonly aheadBytes?: number
  /** Gets a new ticket for the same query, when URLs of this one have expired. */
  readonly renew?: (() => Promise<Ticket>) | undefined
  /** Called with how many blocks have been handed out, and how many bytes of them all. */
  readonly onProgress?: ((blocks: number, bytes: number) => void) | undefined
}

/**
 * The bytes of a ticket's blocks, joined: fetched in parallel, handed out in order, each block gone on with where its
 * connection broke off. A chunk is the receiver's to keep. Memory: `aheadBytes`.
 * @throws HtsvaultError as fetchBlock; TICKET_MD5 at the end; the signal's reason
 *
 * @example
 * for await (const bytes of streamTicket(await fetchTicket(url))) await file.write(bytes)
 */
export async function* streamTicket(
  ticket: Ticket,
  { parallel = 4, aheadBytes = 32 << 20, renew, onProgress, ...transport }: StreamOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const stop = new AbortController()
  const options = {
    ...transport,
    signal: transport.signal ? AbortSignal.any([transport.signal, stop.signal]) : stop.signal,
  }
  const renewable = new RenewableTicket(ticket, renew)
  const limit = new ReadAheadLimit(aheadBytes)
  const digest = ticket.md5 === undefined ? undefined : md5.create()
  const ahead: ReadAhead[] = []
  let next = 0
  let bytes = 0
  try {
    for (let index = 0; index < ticket.blocks.length; index++) {
      while (next < ticket.blocks.length && ahead.length < Math.max(1, parallel))
        ahead.push(new ReadAhead(fetchBlock(renewable, next++, options), limit))
      for await (const chunk of ahead[0]!.take()) {
        bytes += chunk.length
        digest?.update(chunk)
        yield chunk
        onProgress?.(index, bytes)
      }
      ahead.shift()
      onProgress?.(index + 1, bytes)
    }
  } finally {
    stop.abort()
    await Promise.all(ahead.map(each => each.stop()))
  }
  if (digest && toHex(digest.digest()) !== ticket.md5)
    throw new HtsvaultError('TICKET_MD5', 'the bytes are not those whose MD5 the ticket has', {
      hint: 'Start again: what was written is not to be used.',
    })
}

const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
