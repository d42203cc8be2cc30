import { wipe } from '#shared/crypt4gh/wipe.ts'
import type { KeyPair, KeyStore } from '#shared/vault/ports/KeyStore.ts'
import { readKeyPair } from './keyPairSecret.ts'
import type { KeyPairSecret } from './keyPairSecret.ts'

export interface SecretKeyStoreOptions {
  /** How long an unwrapped key is kept, in milliseconds. */
  readonly cacheMs?: number
  /** The time, in milliseconds. */
  readonly now?: () => number
}

/**
 * The vault's key pair from Secrets Manager, unwrapped by KMS; kept for five minutes, then wiped. Callers get a copy
 * of the private half, so that work which outlasts the five minutes does not go on with zeros.
 */
export function secretKeyStore(
  place: KeyPairSecret,
  { cacheMs = 5 * 60_000, now = Date.now }: SecretKeyStoreOptions = {},
): KeyStore {
  let cached: { readonly pair: Promise<KeyPair>; readonly until: number } | undefined

  const forget = (entry: typeof cached) => {
    if (cached === entry) cached = undefined
    void entry?.pair.then(
      ({ secretKey }) => wipe(secretKey),
      () => undefined,
    )
  }

  return {
    async keyPair() {
      // A frozen function's timers do not run: the time is looked at too.
      if (cached !== undefined && now() >= cached.until) forget(cached)
      if (cached === undefined) {
        const entry = { pair: readKeyPair(place), until: now() + cacheMs }
        cached = entry
        entry.pair.catch(() => forget(entry))
        setTimeout(() => forget(entry), cacheMs).unref()
      }
      const { publicKey, secretKey } = await cached.pair
      return { publicKey, secretKey: secretKey.slice() }
    },
  }
}
