import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import * as z from 'zod'
import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { HtsvaultError } from '#shared/errors.ts'
import type { Identity } from './Identity.ts'
import { ownPrefix } from './names.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'

/** Whose key it is: the `iss` and `sub` of their tokens. */
export type Subject = Pick<Identity, 'issuer' | 'subject'>

const schema = z.strictObject({
  version: z.literal(1),
  issuer: z.string().min(1),
  subject: z.string().min(1),
  /** Raw, base64: whoever has several machines has several keys. */
  publicKeys: z.array(z.base64()).min(1).max(20),
  changed: z.iso.datetime(),
})

/** The Crypt4GH keys of one subject, `_htsvault/keys/<hash>.json` in the vault. */
export type RegisteredKeys = z.infer<typeof schema>

const prefix = `${ownPrefix}keys/`
const maxBytes = 64 << 10

/** A subject may be any text, a key of a bucket may not. */
const keyOf = ({ issuer, subject }: Subject): string =>
  `${prefix}${bytesToHex(sha256(new TextEncoder().encode(JSON.stringify([issuer, subject]))))}.json`

/**
 * The public keys that a subject registered, raw; none is no key.
 * @throws HtsvaultError REGISTERED_KEYS_CORRUPT
 */
export async function registeredKeys(vault: ObjectStore, subject: Subject): Promise<Uint8Array[]> {
  const found = await read(vault, keyOf(subject))
  return (found?.record.publicKeys ?? []).map(key => readPublicKey(key))
}

/** Everybody's registered keys. @throws HtsvaultError REGISTERED_KEYS_CORRUPT */
export async function* listRegisteredKeys(vault: ObjectStore): AsyncGenerator<RegisteredKeys> {
  for await (const { key } of vault.list(prefix)) {
    const found = await read(vault, key)
    if (found) yield found.record
  }
}

/**
 * Adds a key to a subject's; one that is there already stays as it is.
 * @throws HtsvaultError KEY_FORMAT_UNKNOWN and the like where it is no public key, PRECONDITION_FAILED where somebody
 * else changed the keys meanwhile
 */
export async function addRegisteredKey(
  vault: ObjectStore,
  subject: Subject,
  publicKey: string | Uint8Array,
): Promise<void> {
  const added = toBase64(readPublicKey(publicKey))
  await change(vault, subject, keys => [...keys.filter(key => key !== added), added])
}

/** Removes one key of a subject, or all; says whether there was anything to remove. @throws as addRegisteredKey */
export async function removeRegisteredKey(
  vault: ObjectStore,
  subject: Subject,
  publicKey?: string | Uint8Array,
): Promise<boolean> {
  const removed = publicKey === undefined ? undefined : toBase64(readPublicKey(publicKey))
  return change(vault, subject, keys => keys.filter(key => removed !== undefined && key !== removed))
}

async function change(
  vault: ObjectStore,
  { issuer, subject }: Subject,
  edit: (keys: readonly string[]) => string[],
): Promise<boolean> {
  const key = keyOf({ issuer, subject })
  const found = await read(vault, key)
  const before = found?.record.publicKeys ?? []
  const publicKeys = edit(before)
  if (publicKeys.join() === before.join()) return false
  if (publicKeys.length === 0) {
    if (found) await vault.delete(key, found.etag)
    return true
  }
  const record = schema.parse({
    version: 1,
    issuer,
    subject,
    publicKeys,
    changed: new Date().toISOString(),
  } satisfies RegisteredKeys)
  const bytes = new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`)
  await vault.put(key, bytes, found ? { ifMatch: found.etag } : { ifAbsent: true })
  return true
}

async function read(
  vault: ObjectStore,
  key: string,
): Promise<{ record: RegisteredKeys; etag: string } | undefined> {
  const object = await vault.get(key, maxBytes)
  if (!object) return undefined
  try {
    const record = schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(object.bytes)))
    // A copy under another's name would give one person's data to another.
    if (keyOf(record) !== key) throw new Error("it is another subject's")
    return { record, etag: object.info.etag }
  } catch (cause) {
    throw new HtsvaultError('REGISTERED_KEYS_CORRUPT', 'the registered keys of a subject cannot be read', {
      place: { file: key },
      hint: 'Delete the object, and register the keys anew: htsvault admin keys add.',
      cause,
    })
  }
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
