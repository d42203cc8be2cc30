import { fetchTicket, type TicketOptions } from '#shared/client/fetchTicket.ts'
import type { Target } from '#shared/client/TicketQuery.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { formatsOf, type Datatype } from '#shared/htsget/HtsgetQuery.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'

/**
 * A URL as it is; an id on its server, among the reads or the variants: the format tells, else the server is asked.
 * @throws HtsvaultError as fetchTicket
 */
export async function findTarget(
  text: string,
  { server, format }: { readonly server: string; readonly format?: Format },
  options: TicketOptions,
): Promise<Target> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text
  const target = (datatype: Datatype): Target => ({ server, datatype, id: text.replace(/^\/+/, '') })
  if (format) return target(formatsOf.reads.includes(format) ? 'reads' : 'variants')
  try {
    await fetchTicket(target('reads'), { headerOnly: true }, options)
    return target('reads')
  } catch (error) {
    if (!isNotFound(error)) throw error
    // What there is of neither is told of the reads.
    await fetchTicket(target('variants'), { headerOnly: true }, options).catch((other: unknown) => {
      throw isNotFound(other) ? error : other
    })
    return target('variants')
  }
}

const isNotFound = (error: unknown): boolean => error instanceof HtsvaultError && error.code === 'NOT_FOUND'
