import * as z from 'zod'
import type { Format } from '#shared/indexes/FileIndexer.ts'
import { invalidTicket } from './clientErrors.ts'

/** One piece of the answer: its bytes are what `url` yields, asked with these headers and no others. */
export interface TicketBlock {
  readonly url: string
  /** For this URL alone: they may hold a token. */
  readonly headers: Readonly<Record<string, string>>
  readonly class?: 'header' | 'body'
}

/** An htsget ticket (htsget 1.3.0, "Response JSON fields"): the file is its blocks, joined. */
export interface Ticket {
  /** Absent where the server does not tell: the datatype's default. */
  readonly format?: Format
  readonly blocks: readonly TicketBlock[]
  /** Of all the blocks' bytes together, hexadecimal. */
  readonly md5?: string
}

/** The largest ticket that is read, in bytes: headers of some MB stand in it. */
export const maxTicketBytes = 1 << 26
const maxBlocks = 1_000_000

const schema = z.object({
  htsget: z.object({
    format: z.string().optional(),
    md5: z.string().optional(),
    urls: z
      .array(
        z.object({
          url: z.string(),
          headers: z.record(z.string(), z.string()).optional(),
          class: z.enum(['header', 'body']).optional(),
        }),
      )
      .max(maxBlocks),
  }),
})

const formats: readonly Format[] = ['BAM', 'CRAM', 'VCF', 'BCF']

/** Headers that belong to the connection, not to the resource: no ticket sets them. */
const connectionHeaders = /^(host|connection|content-length|transfer-encoding|te|upgrade|expect|keep-alive)$/i

/** Reads a ticket's JSON. @throws HtsvaultError TICKET_INVALID */
export function readTicket(text: string): Ticket {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw invalidTicket('the answer is not JSON, and so no htsget ticket', cause)
  }
  const read = schema.safeParse(json)
  if (!read.success)
    throw invalidTicket(
      `the answer is no htsget ticket (${read.error.issues[0]?.path.join('.') ?? ''})`,
      read.error,
    )
  const { format, md5, urls } = read.data.htsget
  const known = formats.find(each => each === format?.toUpperCase())
  return {
    ...(known && { format: known }),
    ...(md5 !== undefined && { md5: md5.toLowerCase() }),
    blocks: urls.map(({ url, headers = {}, class: cls }) => ({
      url: checkUrl(url),
      headers: checkHeaders(headers),
      ...(cls && { class: cls }),
    })),
  }
}

function checkUrl(url: string): string {
  if (url.startsWith('data:')) return url
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch (cause) {
    throw invalidTicket('the ticket has a URL that is none', cause)
  }
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')
    throw invalidTicket('the ticket has a URL that is neither https:, http: nor data:')
  return url
}

function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !connectionHeaders.test(name))
  try {
    new Headers(kept)
  } catch (cause) {
    throw invalidTicket('the ticket has a header that cannot be sent', cause)
  }
  return Object.fromEntries(kept)
}
