import { corruptKey } from '../errors.ts'

/** The text of a key file; more is no key. */
export const maxKeyFileBytes = 65536

export interface Pem {
  readonly label: string
  readonly bytes: Uint8Array
}

const armour = /-----BEGIN ([A-Z0-9 ]{1,64})-----([A-Za-z0-9+/=\s]*)-----END \1-----/

/** The first PEM block of a text; undefined where there is none. @throws HtsvaultError KEY_CORRUPT. */
export function readPem(text: string): Pem | undefined {
  const [, label, base64] = armour.exec(text) ?? []
  if (label === undefined || base64 === undefined) return undefined
  const bytes = readBase64(base64)
  if (!bytes) throw corruptKey('its base64 is broken')
  return { label, bytes }
}

export const writePem = ({ label, bytes }: Pem): string =>
  `-----BEGIN ${label}-----\n${writeBase64(bytes)}\n-----END ${label}-----\n`

/** Undefined where the text is not base64; white space is passed over. */
export function readBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), character => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

export const writeBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))
