import type { ServerResponse } from 'node:http'
import type { ErrorReport } from '#shared/errors.ts'

/** Answers in JSON; ends the connection where another answer has begun. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) {
    // What was begun cannot be taken back: the client must not take it for whole.
    response.destroy()
    return
  }
  const body = `${JSON.stringify(value)}\n`
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}

const htsgetErrors: Readonly<Record<number, string>> = {
  400: 'InvalidInput',
  404: 'NotFound',
  405: 'InvalidInput',
  413: 'PayloadTooLarge',
}

/** An error in the project's own words, and in htsget's too where that has a word for it (htsget §Errors). */
export function sendError(
  response: ServerResponse,
  status: number,
  report: ErrorReport,
  headers?: Readonly<Record<string, string>>,
): void {
  const error = htsgetErrors[status]
  const htsget = error !== undefined && { htsget: { error, message: report.message } }
  sendJson(response, status, { ...report, ...htsget }, headers)
}
