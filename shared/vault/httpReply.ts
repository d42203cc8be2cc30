import { HtsgetError, htsgetStatus, writeError, type HtsgetErrorType } from '#shared/htsget/HtsgetError.ts'
import { HtsvaultError } from '#shared/errors.ts'

export interface HttpReply {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: string
}

export const jsonReply = (statusCode: number, contentType: string, body: string): HttpReply => ({
  statusCode,
  headers: { 'Content-Type': contentType, 'Cache-Control': 'private, no-store' },
  body,
})

/** Errors of ours that a client of htsget is told of as one of the protocol's. */
const told: Readonly<Record<string, HtsgetErrorType>> = {
  TOKEN_EXPIRED: 'PermissionDenied',
  TOKEN_INVALID: 'PermissionDenied',
  FILE_REPLACED: 'NotFound',
}

/**
 * What may be gone when the client tries again; an object that its manifest names and that is not there is one being
 * replaced, or a fault of the vault: never an absence.
 */
const transientCodes = new Set([
  'STORE_UNAVAILABLE',
  'KEY_UNAVAILABLE',
  'ISSUER_UNAVAILABLE',
  'OBJECT_CHANGED',
  'OBJECT_GONE',
  'SHORT_READ',
])

/**
 * The reply to whatever was thrown, in htsget's JSON. An outage is a 503, a fault of our own a 500; neither says what
 * it was.
 */
export function errorReply(error: unknown): HttpReply {
  const reply = (status: number, type: string, message: string) =>
    jsonReply(status, 'application/json', writeError(type as HtsgetErrorType, message))
  if (error instanceof HtsgetError) {
    const said = reply(error.status, error.type, error.message)
    // RFC 6750 §3, without saying what was wrong with a token.
    return error.status === 401
      ? { ...said, headers: { ...said.headers, 'WWW-Authenticate': 'Bearer' } }
      : said
  }
  if (!(error instanceof HtsvaultError)) return reply(500, 'InternalError', 'an error of the server itself')
  const type = told[error.code]
  if (type) return reply(htsgetStatus[type], type, [error.message, error.hint].filter(Boolean).join('. '))
  if (error.code === 'RANGE_NOT_SATISFIABLE') return reply(416, 'InvalidRange', error.message)
  if (!transientCodes.has(error.code))
    return reply(500, 'InternalError', `an error of the server itself (${error.code})`)
  const who = error.code === 'ISSUER_UNAVAILABLE' ? 'who checks the tokens' : 'the storage'
  const busy = reply(503, 'ServiceUnavailable', `${who} does not answer; try again`)
  return { ...busy, headers: { ...busy.headers, 'Retry-After': '1' } }
}
