import { HtsvaultError } from '#shared/errors.ts'
import { readTicket, type Ticket } from '#shared/client/Ticket.ts'
import type { TransportOptions } from '#shared/client/transport.ts'
import { httpExchange } from '#cli/stream/httpExchange.ts'

/** Waits that a test can wait for. */
const waits: TransportOptions = { retryMs: 1, idleMs: 150, tries: 5 }

/** Everything that sends requests, for `describe.each`. */
export const transports: readonly (readonly [name: string, quick: TransportOptions])[] = [
  ['fetch', waits],
  ['node:http', { ...waits, exchange: httpExchange }],
]

export interface WrittenUrl {
  readonly url: string
  readonly headers?: Record<string, string>
  readonly class?: string
}

/** A ticket as any server may write it. */
export const writtenTicket = (urls: readonly WrittenUrl[], format = 'BAM'): string =>
  JSON.stringify({ htsget: { format, urls } })

export const ticketOf = (...urls: WrittenUrl[]): Ticket => readTicket(writtenTicket(urls))

export const dataUrl = (bytes: Uint8Array): string => `data:;base64,${Buffer.from(bytes).toString('base64')}`

export async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(Uint8Array.from(chunk))
  return Buffer.concat(all)
}

/** The bytes, or the code of the error; what is none of ours goes on. */
export async function outcome(chunks: AsyncIterable<Uint8Array>): Promise<Buffer | string> {
  try {
    return await joined(chunks)
  } catch (error) {
    if (error instanceof HtsvaultError) return error.code
    throw error
  }
}

export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
