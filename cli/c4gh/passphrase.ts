import { readFileSync } from 'node:fs'
import { passphraseMissing } from '#shared/crypt4gh/errors.ts'
import type { Passphrase } from '#shared/crypt4gh/keys/readPrivateKey.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { fileError } from '../files/fileError.ts'
import { promptHidden } from './promptHidden.ts'

export interface PassphraseOptions {
  readonly passphraseFile?: string
  readonly passphraseFd?: number
}

/**
 * Where a passphrase comes from: the file or descriptor named (its first line), else C4GH_PASSPHRASE, else the
 * terminal.
 * @throws HtsvaultError KEY_PASSPHRASE_MISSING where there is none of these.
 */
export function passphraseFor(keyFile: string, options: PassphraseOptions): Passphrase {
  return async () => {
    const given = givenPassphrase(options) ?? (await promptHidden(`Passphrase for ${keyFile}: `))?.[0]
    if (given === undefined || given === '') throw passphraseMissing().at({ file: keyFile })
    return given
  }
}

/** A passphrase for a new key: asked for twice, for it is not seen. @throws HtsvaultError PASSPHRASES_DIFFER. */
export async function newPassphrase(keyFile: string, options: PassphraseOptions): Promise<string> {
  const given = givenPassphrase(options)
  if (given !== undefined && given !== '') return given
  const [first, again] = (await promptHidden(`New passphrase for ${keyFile}: `, 'The same again: ')) ?? []
  if (first === undefined || first === '') throw passphraseMissing().at({ file: keyFile })
  if (again !== first)
    throw new HtsvaultError('PASSPHRASES_DIFFER', 'the two passphrases differ', { hint: 'try again' })
  return first
}

function givenPassphrase({ passphraseFile, passphraseFd }: PassphraseOptions): string | undefined {
  const source = passphraseFd ?? passphraseFile
  if (source === undefined) return process.env['C4GH_PASSPHRASE']
  try {
    return readFileSync(source, 'utf8').split(/\r?\n/, 1)[0]
  } catch (error) {
    throw fileError(error, passphraseFile ?? `descriptor ${passphraseFd!}`)
  }
}
