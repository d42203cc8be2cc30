import type { Format } from '#shared/indexes/FileIndexer.ts'
import type { BlockClass } from './planTicket.ts'

export const ticketContentType = 'application/vnd.ga4gh.htsget.v1.3.0+json; charset=utf-8'

export interface TicketUrl {
  readonly url: string
  readonly class?: BlockClass
  readonly headers?: Readonly<Record<string, string>>
}

/** The ticket, JSON (htsget 1.3.0, "Response JSON fields"). */
export const writeTicket = (format: Format, urls: readonly TicketUrl[]): string =>
  JSON.stringify({ htsget: { format, urls } })

/** Bytes as a URL. With exactly this prefix: there are clients that take no other. */
export const dataUri = (bytes: Uint8Array): string =>
  `data:;base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')}`
