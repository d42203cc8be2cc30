import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HtsvaultError } from '#shared/errors.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { keyFile } from '#shared/local/keyFile.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'

/** The folder of a local vault's store. */
export const vaultFolder = (data: string): string => join(data, 'vault')

/** A local vault's ports: `inbox`, `vault` and `keys` below its folder, made where they are not there. */
export const localPorts = (data: string): VaultPorts => ({
  inbox: folderStore(join(data, 'inbox')),
  vault: folderStore(vaultFolder(data)),
  keys: keyFile(data),
})

/**
 * The ports of a local vault that is there already.
 * @throws HtsvaultError NO_VAULT
 */
export function openLocalVault(data: string): VaultPorts {
  if (!existsSync(vaultFolder(data)) || !existsSync(join(data, 'keys')))
    throw new HtsvaultError('NO_VAULT', 'there is no vault in this folder', {
      place: { file: data },
      hint: 'Name its folder with --data DIR; htsvault serve makes a new one.',
    })
  return localPorts(data)
}
