import { HtsvaultError, type ErrorDetails } from '#shared/errors.ts'

/** The errors of the protocol and their HTTP status (htsget 1.3.0, "Error responses"). */
export const htsgetStatus = {
  InvalidAuthentication: 401,
  PermissionDenied: 403,
  NotFound: 404,
  PayloadTooLarge: 413,
  UnsupportedFormat: 400,
  InvalidInput: 400,
  InvalidRange: 400,
} as const

export type HtsgetErrorType = keyof typeof htsgetStatus

const codes: Readonly<Record<HtsgetErrorType, Uppercase<string>>> = {
  InvalidAuthentication: 'INVALID_AUTHENTICATION',
  PermissionDenied: 'PERMISSION_DENIED',
  NotFound: 'NOT_FOUND',
  PayloadTooLarge: 'PAYLOAD_TOO_LARGE',
  UnsupportedFormat: 'UNSUPPORTED_FORMAT',
  InvalidInput: 'INVALID_INPUT',
  InvalidRange: 'INVALID_RANGE',
}

/** A request that the protocol answers with an error of its own. */
export class HtsgetError extends HtsvaultError {
  readonly type: HtsgetErrorType

  constructor(type: HtsgetErrorType, message: string, details?: ErrorDetails) {
    super(codes[type], message, details)
    this.type = type
  }

  get status(): number {
    return htsgetStatus[this.type]
  }
}

/** The body of an error reply, JSON. */
export const writeError = (type: HtsgetErrorType, message: string): string =>
  JSON.stringify({ htsget: { error: type, message } })
