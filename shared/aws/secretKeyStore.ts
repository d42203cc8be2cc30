import { wipe } from '#shared/crypt4gh/wipe.ts'
import { type DatedPair, ringOf } from '#shared/vault/keyRing.ts'
import type { KeyStore } from '#shared/vault/ports/KeyStore.ts'
import { readKeyPairs } from './keyPairSecret.ts'
import type { KeyPairSecret } from './keyPairSecret.ts'

export interface SecretKeyStoreOptions {
  /** How long an unwrapped key is kept, in milliseconds. */
  readonly cacheMs?: number
  /** The time, in milliseconds. */
  readonly now?: () => number
}

/**
 * The vault's key pairs from Secrets Manager, unwrapped by KMS; kept for five minutes, then wiped. Callers get a copy
 * of the private half, so that work which outlasts the five minutes does not go on with zeros.
 */
export function secretKeyStore(
  place: KeyPairSecret,
  { cacheMs = 5 * 60_000, now = Date.now }: SecretKeyStoreOptions = {},
): KeyStore {
  let cached: { readonly pairs: Promise<DatedPair[]>; readonly until: number } | undefined

  const forget = (entry: typeof cached) => {
    if (cached === entry) cached = undefined
    void entry?.pairs.then(
      pairs => wipe(...pairs.map(({ secretKey }) => secretKey)),
      () => undefined,
    )
  }

  return {
    async keyPair() {
      // A frozen function's timers do not run: the time is looked at too.
      if (cached !== undefined && now() >= cached.until) forget(cached)
      if (cached === undefined) {
        const entry = { pairs: readKeyPairs(place), until: now() + cacheMs }
        cached = entry
        entry.pairs.catch(() => forget(entry))
        setTimeout(() => forget(entry), cacheMs).unref()
      }
      const pairs = await cached.pairs
      return ringOf(
        pairs.map(pair => ({ ...pair, secretKey: pair.secretKey.slice() })),
        now(),
      )
    },
  }
}
