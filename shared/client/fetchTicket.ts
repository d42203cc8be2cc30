import { writeBase64 } from '#shared/crypt4gh/keys/pem.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { hostOf, invalidTicket, isUnreachable, replyError } from './clientErrors.ts'
import type { Outgoing } from './Exchange.ts'
import { Retries } from './Retries.ts'
import { maxTicketBytes, readTicket, type Ticket } from './Ticket.ts'
import { planRequest, type Target, type TicketQuery } from './TicketQuery.ts'
import { isPassing, readText, send, type Reply, type TransportOptions } from './transport.ts'

export interface TicketOptions extends TransportOptions {
  /** A bearer token. It goes to the server of the ticket and nowhere else, and never unencrypted over a network. */
  readonly token?: string | undefined
}

/**
 * Asks an htsget server for a ticket; tries again where the server is busy or not to be reached.
 * @throws HtsvaultError URL_INVALID, QUERY_CONFLICT, TOKEN_UNSAFE, TICKET_INVALID, SERVER_UNREACHABLE, SERVER_FAILED,
 * REDIRECT_REFUSED; HtsgetError with what the server answered
 *
 * @example
 * const ticket = await fetchTicket('https://host/reads/study/NA12878', {
 *   regions: [{ referenceName: 'chr1', start: 10_000, end: 20_000 }],
 * })
 */
export async function fetchTicket(
  target: Target,
  query: TicketQuery = {},
  options: TicketOptions = {},
): Promise<Ticket> {
  const { url, method, body } = planRequest(target, query)
  const outgoing: Outgoing = {
    url,
    method,
    headers: headersOf(url, query, options, body !== undefined),
    ...(body !== undefined && { body }),
  }
  const host = hostOf(url)
  const retries = new Retries({ tries: 4, ...options })
  for (;;) {
    let reply: Reply
    let answer: { text: string; whole: boolean }
    try {
      reply = await send(outgoing, options)
      answer = await readText(reply, maxTicketBytes)
    } catch (error) {
      if (!isUnreachable(error)) throw error
      await retries.failed(error)
      continue
    }
    const { status, headers } = reply
    if (status === 200) return ticketOf(answer, headers.get('content-type'))
    const error = replyError(host, status, answer.text)
    if (!isPassing(status)) throw error
    await retries.failed(error, headers.get('retry-after'))
  }
}

function ticketOf({ text, whole }: { text: string; whole: boolean }, type: string | null): Ticket {
  if (type !== null && !/json/i.test(type))
    throw invalidTicket(`the server answered ${shortType(type)}, which is no htsget ticket`)
  if (!whole) throw invalidTicket(`the ticket is longer than ${maxTicketBytes} bytes`)
  return readTicket(text)
}

const shortType = (type: string): string =>
  type
    .split(';', 1)[0]!
    .replace(/[^\x21-\x7e]/g, '')
    .slice(0, 60)

function headersOf(
  url: string,
  { recipient }: TicketQuery,
  { token }: TicketOptions,
  hasBody: boolean,
): Record<string, string> {
  if (token !== undefined && !isSafe(url))
    throw new HtsvaultError('TOKEN_UNSAFE', 'a token is not sent unencrypted over a network', {
      hint: 'Ask at an https: address.',
    })
  return {
    Accept: 'application/vnd.ga4gh.htsget.v1.3.0+json, application/json;q=0.9, */*;q=0.1',
    ...(hasBody && { 'Content-Type': 'application/json' }),
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(recipient && {
      'Htsget-Context-Public-Key': writeBase64(new TextEncoder().encode(writePublicKey(recipient))),
    }),
  }
}

/** Encrypted, or this very machine. */
function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return (
    protocol === 'https:' ||
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  )
}
