import { expect, test } from '@jest/globals'
import { keyPairOf } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import type { KeyStore } from '#shared/vault/ports/KeyStore.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

export interface KeyStorePlace {
  /** A store over this place; several over one place are several processes. */
  open(): KeyStore
}

/**
 * Declares the tests that every KeyStore passes, inside the caller's `describe`.
 *
 * @param makePlace gives a new place, ready for use; each has a key of its own.
 */
export function keyStoreContract(makePlace: () => Promise<KeyStorePlace>): void {
  test('it gives an X25519 key pair whose halves belong together', async () => {
    const { publicKey, secretKey } = await (await makePlace()).open().keyPair()
    expect(secretKey).toHaveLength(32)
    expect(secretKey.some(byte => byte !== 0)).toBe(true)
    expect(hex(keyPairOf(secretKey.slice(), nodeBackend).publicKey)).toBe(hex(publicKey))
  })

  test('it is the same at every call and for every process', async () => {
    const place = await makePlace()
    const stores = [place.open(), place.open(), place.open()]
    const pairs = await Promise.all(
      [...stores, ...stores].map(async store => hex((await store.keyPair()).secretKey)),
    )
    expect(new Set(pairs).size).toBe(1)
    expect(hex((await place.open().keyPair()).secretKey)).toBe(pairs[0])
  })

  test('two vaults have two keys', async () => {
    const [a, b] = await Promise.all([makePlace(), makePlace()])
    expect(hex((await a.open().keyPair()).secretKey)).not.toBe(hex((await b.open().keyPair()).secretKey))
  })
}
