import { readBase64 } from '#shared/crypt4gh/keys/pem.ts'
import { invalidTicket } from '../clientErrors.ts'

/** The bytes of a `data:` URL, which htsget wants in base64. @throws HtsvaultError TICKET_INVALID */
export function readDataUri(url: string): Uint8Array {
  const comma = url.indexOf(',')
  const isBase64 = comma > 0 && /;\s*base64\s*$/i.test(url.slice(0, comma))
  const bytes = isBase64 ? readBase64(decode(url.slice(comma + 1))) : undefined
  if (!bytes) throw invalidTicket('the ticket has a data: URL that is not base64')
  return bytes
}

/** Some servers escape `+`, `/` and `=`. */
function decode(text: string): string {
  try {
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch (cause) {
    throw invalidTicket('the ticket has a data: URL that is not base64', cause)
  }
}
