import { readPublicKey } from '#shared/crypt4gh/keys/readPublicKey.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { HtsgetError } from '#shared/htsget/HtsgetError.ts'
import { readRecipients, type DatasetSettings } from './DatasetSettings.ts'
import type { Identity } from './Identity.ts'
import type { ObjectStore } from './ports/ObjectStore.ts'
import { registeredKeys } from './registeredKeys.ts'

export interface Asker {
  /** The request's `Htsget-Context-Public-Key`, as it came. */
  readonly publicKey?: string | undefined
  readonly identity?: Identity | undefined
}

/**
 * For whom a ticket of ciphertext is: the key that the request brings, else those that its subject registered, else the
 * dataset's recipients.
 * @throws HtsgetError InvalidInput where the key is none, or nobody is named
 */
export async function recipientsOf(
  vault: ObjectStore,
  { publicKey, identity }: Asker,
  settings: DatasetSettings,
): Promise<Uint8Array[]> {
  if (publicKey !== undefined) return [readClientKey(publicKey)]
  const registered = identity ? await registeredKeys(vault, identity) : []
  if (registered.length > 0) return registered
  const recipients = readRecipients(settings)
  if (recipients.length > 0) return recipients
  throw new HtsgetError(
    'InvalidInput',
    'there is no public key to encrypt for: send yours in the header Htsget-Context-Public-Key (base64 of the .pub file); you have registered none, and the dataset has no recipients',
  )
}

/** base64 of the PEM file (sda-cli), or of the 32 bytes, which is the line in that file. */
function readClientKey(header: string): Uint8Array {
  try {
    return readPublicKey(header)
  } catch (cause) {
    if (!(cause instanceof HtsvaultError)) throw cause
    throw new HtsgetError(
      'InvalidInput',
      'Htsget-Context-Public-Key holds no Crypt4GH public key: expected is base64 of the .pub file or of its 32 bytes',
      { cause },
    )
  }
}
