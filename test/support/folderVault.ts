import { join } from 'node:path'
import { folderStore } from '#shared/local/folderStore.ts'
import type { KeyPair } from '#shared/vault/ports/KeyStore.ts'
import type { ObjectStore } from '#shared/vault/ports/ObjectStore.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

/** A vault in a folder, with a key pair that is given. */
export const folderVault = (folder: string, pair: KeyPair): VaultPorts => ({
  inbox: folderStore(join(folder, 'inbox')),
  vault: folderStore(join(folder, 'vault')),
  keys: { keyPair: async () => pair },
})

/** All keys of a store, in its order. */
export async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list('')) keys.push(key)
  return keys
}
