import { corruptKey, invalidPublicKey, unknownKeyFormat, unsupportedKey } from '../errors.ts'
import { isLowOrder, montgomeryOf } from './curve25519.ts'
import { KeyFields, textOf } from './KeyFields.ts'
import { maxKeyFileBytes, readBase64, readPem } from './pem.ts'

/**
 * Reads a public key in any of its forms: PEM, an `ssh-ed25519` line, raw 32 bytes, or base64 of any of these (as the
 * htsget header carries it). 32 bytes.
 * @throws HtsvaultError KEY_FORMAT_UNKNOWN, KEY_CORRUPT, KEY_METHOD_UNSUPPORTED, KEY_INVALID.
 */
export function readPublicKey(key: string | Uint8Array): Uint8Array {
  const bytes = readForm(key)
  if (isLowOrder(bytes)) throw invalidPublicKey()
  return bytes
}

function readForm(key: string | Uint8Array): Uint8Array {
  if (key.length > maxKeyFileBytes) throw unknownKeyFormat('this is too long for a public key')
  if (typeof key !== 'string' && key.length === 32) return Uint8Array.from(key)
  const text = (typeof key === 'string' ? key : textOf(key)).trim()
  const found = readText(text)
  if (found) return found
  const bytes = readBase64(text)
  if (bytes?.length === 32) return bytes
  const inner = bytes && readText(textOf(bytes).trim())
  if (inner) return inner
  throw unknownKeyFormat(
    'this is no public key: expected PEM, an ssh-ed25519 line, or 32 bytes raw or as base64',
  )
}

function readText(text: string): Uint8Array | undefined {
  const pem = readPem(text)
  if (pem) {
    if (pem.label.includes('PRIVATE'))
      throw unknownKeyFormat('this is a private key where a public one is expected')
    if (pem.label !== 'CRYPT4GH PUBLIC KEY') throw unsupportedKey('a PEM file of another kind of key')
    if (pem.bytes.length !== 32)
      throw corruptKey(`a public key of ${pem.bytes.length} bytes; 32 are expected`)
    return pem.bytes
  }
  if (/^(ssh|ecdsa|sk)-\S+\s/.test(text)) return readSshLine(text)
  return undefined
}

function readSshLine(line: string): Uint8Array {
  const [type, base64 = ''] = line.split(/\s+/)
  if (type !== 'ssh-ed25519') throw unsupportedKey('an SSH key of another type; Crypt4GH takes ssh-ed25519')
  const fields = new KeyFields(readBase64(base64) ?? new Uint8Array())
  const name = textOf(fields.string32())
  const edwards = fields.string32()
  if (name !== type || edwards.length !== 32) throw corruptKey('the SSH key is not what its line says')
  return montgomeryOf(edwards)
}
