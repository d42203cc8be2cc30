import { readFile } from 'node:fs/promises'
import { HtsvaultError } from '#shared/errors.ts'
import { authenticator, type Authenticate } from '#shared/vault/access/authenticator.ts'
import { readIssuers } from '#shared/vault/access/IssuerSettings.ts'
import type { ServeOptions } from './command.ts'

/**
 * Who asks, as the options tell it; undefined without any: then whoever reaches the port may read.
 * @throws HtsvaultError SETTINGS_INVALID, FILE_NOT_FOUND
 */
export async function localAuthenticate({
  oidcIssuer,
  oidcAudience,
  oidc,
}: Pick<ServeOptions, 'oidcIssuer' | 'oidcAudience' | 'oidc'>): Promise<Authenticate | undefined> {
  if (oidc !== undefined) return authenticator(readIssuers(await textOf(oidc)))
  if (oidcIssuer === undefined && oidcAudience === undefined) return undefined
  if (oidcIssuer === undefined || oidcAudience === undefined)
    throw new HtsvaultError('SETTINGS_INVALID', '--oidc-issuer and --oidc-audience go together', {
      hint: 'Without an audience, a token for any other service would open this vault (docs/access.md).',
    })
  return authenticator(readIssuers([{ issuer: oidcIssuer, audience: oidcAudience }]))
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new HtsvaultError('FILE_NOT_FOUND', 'the settings of the issuers cannot be read', {
      place: { file },
      hint: 'Name a file that is there with --oidc FILE.',
      cause,
    })
  }
}
