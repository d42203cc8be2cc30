import { HtsvaultError } from '#shared/errors.ts'
import { queryParameters, type Datatype, type QueryRegion } from '#shared/htsget/HtsgetQuery.ts'
import type { Format } from '#shared/indexes/FileIndexer.ts'

/** What to ask for; empty: the whole file. */
export interface TicketQuery {
  readonly format?: Format
  /** The header alone; goes with `format` only. */
  readonly headerOnly?: boolean
  /** 0-based, half-open; records come in file order and once each, however the regions lie. */
  readonly regions?: readonly QueryRegion[]
  readonly fields?: readonly string[]
  readonly tags?: readonly string[]
  readonly notags?: readonly string[]
  /** Asks for a Crypt4GH file for the owner of this public key: 32 bytes. */
  readonly recipient?: Uint8Array
}

/** A file by the address of its tickets, or by the server's address, its datatype and its id. */
export type Target = string | { readonly server: string; readonly datatype: Datatype; readonly id: string }

export interface TicketRequest {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly body?: string
}

/** The URL at which a target's tickets are asked for. @throws HtsvaultError URL_INVALID */
export function targetUrl(target: Target): URL {
  const text =
    typeof target === 'string'
      ? target
      : `${target.server.replace(/\/+$/, '')}/${target.datatype}/${target.id.split('/').map(encodeURIComponent).join('/')}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new HtsvaultError('URL_INVALID', 'this is no http(s) address', {
      hint: 'Give it as https://HOST/reads/ID.',
    })
  if (url.username !== '' || url.password !== '')
    throw new HtsvaultError('URL_INVALID', 'the address has a user name or password in it', {
      hint: 'Give a token by HTSVAULT_TOKEN.',
    })
  url.hash = ''
  return url
}

/**
 * Plans the request for a ticket (htsget 1.3.0): GET for up to one region, POST for several. What the URL asks for
 * already stays, unless the query names it too; parameters that htsget does not know (a signature) stay on the URL.
 * @throws HtsvaultError URL_INVALID, QUERY_CONFLICT
 */
export function planRequest(target: Target, query: TicketQuery): TicketRequest {
  const url = targetUrl(target)
  const asked = new Map<string, string>()
  for (const name of queryParameters) {
    const value = url.searchParams.get(name)
    if (value !== null) asked.set(name, value)
    url.searchParams.delete(name)
  }
  const { regions = [] } = query
  const own: [string, string | undefined][] = [
    ['format', query.format],
    ['class', query.headerOnly === true ? 'header' : undefined],
    ['fields', query.fields?.join(',')],
    ['tags', query.tags?.join(',')],
    ['notags', query.notags?.join(',')],
    ['encryptionScheme', query.recipient && 'crypt4gh'],
    ['referenceName', regions[0]?.referenceName],
    ['start', regions[0]?.start?.toString()],
    ['end', regions[0]?.end?.toString()],
  ]
  if (regions.length > 0 && ['referenceName', 'start', 'end'].some(name => asked.has(name)))
    throw conflict('a region')
  for (const [name, value] of own) {
    if (value === undefined) continue
    const before = asked.get(name)
    if (before !== undefined && before.toLowerCase() !== value.toLowerCase() && name !== 'encryptionScheme')
      throw conflict(name)
    asked.set(name, value)
  }
  if (regions.length > 1) return { url: url.href, method: 'POST', body: postBody(asked, regions) }
  for (const [name, value] of asked) url.searchParams.set(name, value)
  // URLSearchParams writes a space as "+", which not every server reads as one.
  url.search = url.search.replaceAll('+', '%20')
  return { url: url.href, method: 'GET' }
}

function postBody(asked: ReadonlyMap<string, string>, regions: readonly QueryRegion[]): string {
  const list = (name: string) => {
    const value = asked.get(name)
    return value === undefined ? undefined : value === '' ? [] : value.split(',')
  }
  return JSON.stringify({
    format: asked.get('format'),
    class: asked.get('class'),
    fields: list('fields'),
    tags: list('tags'),
    notags: list('notags'),
    encryptionScheme: asked.get('encryptionScheme'),
    regions: regions.map(({ referenceName, start, end }) => ({ referenceName, start, end })),
  })
}

const conflict = (what: string): HtsvaultError =>
  new HtsvaultError('QUERY_CONFLICT', `the address asks for ${what} already`, {
    hint: 'Take it out of the address, or do not ask for another.',
  })
