import { HtsvaultError } from '#shared/errors.ts'
import { hostOf, isUnreachable, replyError } from '../clientErrors.ts'
import { Retries } from '../Retries.ts'
import { isPassing, readText, send, type Reply, type TransportOptions } from '../transport.ts'
import { BlockReceiver } from './BlockReceiver.ts'
import type { RenewableTicket } from './RenewableTicket.ts'
import { readDataUri } from './readDataUri.ts'

/** As much of an error's body as is read. */
const maxErrorBytes = 65_536

/**
 * The bytes of one block of a ticket, each once, in order: where a connection breaks off, it goes on from there, with a
 * new ticket where the URL has expired.
 * @throws HtsvaultError SERVER_UNREACHABLE, SERVER_FAILED, BLOCK_TRUNCATED, BLOCK_CHANGED, BLOCK_INVALID, TICKET_EXPIRED,
 * TICKET_CHANGED, TICKET_INVALID, REDIRECT_REFUSED; HtsgetError; the signal's reason
 */
export async function* fetchBlock(
  ticket: RenewableTicket,
  index: number,
  options: TransportOptions,
): AsyncGenerator<Uint8Array, void> {
  const first = ticket.block(index).block
  if (first.url.startsWith('data:')) {
    yield readDataUri(first.url)
    return
  }
  const receiver = new BlockReceiver(first)
  const retries = new Retries(options)
  while (!receiver.isComplete()) {
    const { block, generation } = ticket.block(index)
    let reply: Reply | undefined
    let failure: unknown
    try {
      reply = await send(
        { url: block.url, headers: { 'Accept-Encoding': 'identity', ...receiver.headers(block) } },
        options,
      )
      if (reply.status === 200 || reply.status === 206) {
        ticket.proven(generation)
        receiver.begin(reply)
        while (!receiver.isComplete()) {
          const chunk = await reply.read()
          if (!chunk) break
          const fresh = receiver.take(chunk)
          if (fresh.length === 0) continue
          retries.succeeded()
          yield fresh
        }
        if (receiver.isComplete() || receiver.ended()) return
        failure = truncated(hostOf(block.url))
      } else if (reply.status === 416 && receiver.isAllOf(reply.headers.get('content-range'))) return
      else {
        const { text } = await readText(reply, maxErrorBytes)
        failure = replyError(hostOf(block.url), reply.status, text)
        if (isRefusal(reply.status)) {
          if (receiver.keepRange(block) || (await ticket.refused(generation))) continue
          throw expired(failure)
        }
        if (!isPassing(reply.status)) throw failure
      }
    } catch (error) {
      if (!isUnreachable(error)) throw error
      failure = error
    } finally {
      reply?.close()
    }
    await retries.failed(failure, reply?.headers.get('retry-after'))
  }
}

const isRefusal = (status: number): boolean => status === 401 || status === 403 || status === 410

const truncated = (host: string): HtsvaultError =>
  new HtsvaultError('BLOCK_TRUNCATED', `${host} sent fewer bytes than it said, again and again`, {
    hint: 'Start again; should it stay so, tell who runs the server.',
  })

const expired = (cause: unknown): HtsvaultError =>
  new HtsvaultError('TICKET_EXPIRED', `the ticket is not good any more: ${(cause as Error).message}`, {
    hint: 'Start again; with fewer regions where it takes long.',
    cause,
  })
