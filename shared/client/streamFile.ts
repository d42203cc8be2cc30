import type { Backend } from '#shared/crypt4gh/Backend.ts'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import type { KeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { portableBackend } from '#shared/crypt4gh/portableBackend.ts'
import { fetchTicket, type TicketOptions } from './fetchTicket.ts'
import { streamTicket, type StreamOptions } from './streamTicket.ts'
import type { Ticket } from './Ticket.ts'
import type { Target, TicketQuery } from './TicketQuery.ts'

export interface FileOptions extends TicketOptions, Omit<StreamOptions, 'renew'> {
  /** Asks for the file encrypted for this key pair, and decrypts it here. */
  readonly key?: KeyPair | undefined
  /** What decrypts; default one that runs anywhere. `nodeBackend` is faster in Node. */
  readonly backend?: Backend
  /** Told the ticket, before its first byte. */
  readonly onTicket?: ((ticket: Ticket) => void) | undefined
}

/**
 * What an htsget server has for a query, as one file: ticket, blocks, new tickets where they expire, decryption. With a
 * key, an answer that is not encrypted is refused.
 * @throws HtsvaultError as fetchTicket, streamTicket and decryptStream
 *
 * @example
 * const regions = [{ referenceName: 'chr1', start: 10_000, end: 20_000 }]
 * for await (const bytes of streamFile('https://host/reads/study/NA12878', { regions })) …
 */
export async function* streamFile(
  target: Target,
  query: TicketQuery = {},
  { key, backend = portableBackend, onTicket, ...options }: FileOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const asked = key ? { ...query, recipient: key.publicKey } : query
  const ask = () => fetchTicket(target, asked, options)
  const ticket = await ask()
  onTicket?.(ticket)
  const bytes = streamTicket(ticket, { ...options, renew: ask })
  if (key) yield* decryptStream(bytes, key, backend)
  else yield* bytes
}
