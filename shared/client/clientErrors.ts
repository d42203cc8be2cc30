import { HtsvaultError } from '#shared/errors.ts'
import { HtsgetError, htsgetStatus, type HtsgetErrorType } from '#shared/htsget/HtsgetError.ts'

/** Where a request went, safe to show: the path of a data URL may be a token, a query may hold a signature. */
export const hostOf = (url: string): string => new URL(url).host

/** What a server said, made safe to show on a terminal: printable, one line, short. */
const shown = (text: string): string =>
  text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 300)

/**
 * What a reply that is no success means: htsget's own error where the body or the status tells of one (htsget 1.3.0,
 * "Error responses"), else SERVER_FAILED. `body` is its beginning.
 */
export function replyError(host: string, status: number, body: string): HtsvaultError {
  const told = errorOf(body)
  const type =
    told?.type ??
    (Object.keys(htsgetStatus) as HtsgetErrorType[]).find(
      each => htsgetStatus[each] === status && status !== 400,
    )
  const said = told?.message === undefined || told.message === '' ? '' : `: ${told.message}`
  const message = `${host} answered ${status}${said}`
  if (type === undefined)
    return new HtsvaultError('SERVER_FAILED', message, {
      hint: 'It is the server, not the request: try again later, or tell who runs it.',
    })
  return new HtsgetError(type, message, hints[type] === undefined ? {} : { hint: hints[type] })
}

const hints: Partial<Record<HtsgetErrorType, string>> = {
  InvalidAuthentication: 'Give a token that is good: HTSVAULT_TOKEN, or --token-file FILE.',
  PermissionDenied:
    'Ask for access, or give a token of somebody who has it: HTSVAULT_TOKEN, or --token-file FILE.',
  NotFound:
    'Is the id the one that the server lists, without .bam or .vcf.gz at its end, and are the references named as in the file?',
}

function errorOf(body: string): { type?: HtsgetErrorType; message: string } | undefined {
  try {
    const { htsget } = JSON.parse(body) as { htsget?: { error?: unknown; message?: unknown } }
    if (typeof htsget !== 'object') return undefined
    const known = typeof htsget.error === 'string' && Object.hasOwn(htsgetStatus, htsget.error)
    return {
      ...(known && { type: htsget.error as HtsgetErrorType }),
      message: typeof htsget.message === 'string' ? shown(htsget.message) : '',
    }
  } catch {
    return undefined
  }
}

export const unreachable = (host: string, what: string, cause?: unknown): HtsvaultError =>
  new HtsvaultError('SERVER_UNREACHABLE', `${host} ${what}`, {
    hint: 'Is the address right and the network there? It was tried several times.',
    cause,
  })

export const isUnreachable = (error: unknown): boolean =>
  error instanceof HtsvaultError && error.code === 'SERVER_UNREACHABLE'

export const invalidTicket = (message: string, cause?: unknown): HtsvaultError =>
  new HtsvaultError('TICKET_INVALID', message, {
    hint: 'Is this the address of an htsget server, such as https://HOST/reads/ID?',
    cause,
  })

export const redirectRefused = (host: string, why: string): HtsvaultError =>
  new HtsvaultError('REDIRECT_REFUSED', `${host} sends on to another address, ${why}`, {
    hint: 'Ask at the new address yourself, if you trust it.',
  })
