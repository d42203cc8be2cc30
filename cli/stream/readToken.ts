import { readFileSync } from 'node:fs'
import { HtsvaultError } from '#shared/errors.ts'
import { fileError } from '../files/fileError.ts'

/** The bearer token to send, if there is one. @throws HtsvaultError TOKEN_MALFORMED, FILE_NOT_FOUND, FILE_FORBIDDEN */
export function readToken(options: {
  readonly token?: string
  readonly tokenFile?: string
}): string | undefined {
  const given = options.token ?? (options.tokenFile === undefined ? undefined : firstLine(options.tokenFile))
  const token = (given ?? process.env['HTSVAULT_TOKEN'])?.trim()
  if (given === undefined && (token === undefined || token === '')) return undefined
  // RFC 6750 §2.1; what is wrong with it is not shown.
  if (token === undefined || !/^[A-Za-z0-9._~+/-]+=*$/.test(token))
    throw new HtsvaultError('TOKEN_MALFORMED', 'the token is empty, or has characters that no token has', {
      hint: 'Give the token alone, without "Bearer" and without quotes.',
    })
  return token
}

function firstLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/, 1)[0]!
  } catch (error) {
    throw fileError(error, path)
  }
}
