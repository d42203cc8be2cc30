import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localHandlers } from '#cli/serve/localHandlers.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { provideAwslambda } from '#shared/local/awslambda.ts'
import { startServer, type LocalServer } from '#shared/local/httpServer.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { silentLog } from '#shared/vault/Log.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { folderVault } from './folderVault.ts'

/** A vault with files in it, on a folder of its own. */
export interface FilledVault {
  readonly ports: VaultPorts
  remove(): void
}

/** Makes a vault and takes files in: by the name that each is uploaded under, its path or its bytes. */
export async function filledVault(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<FilledVault> {
  const folder = mkdtempSync(join(tmpdir(), 'htsvault-filled-'))
  const pair = generateKeyPair(nodeBackend)
  const ports: VaultPorts = folderVault(folder, pair)
  for (const [key, file] of Object.entries(files)) {
    await ports.inbox.put(key, typeof file === 'string' ? await readFile(file) : file)
    const outcome = await ingestUpload(ports, key)
    if (outcome.state !== 'served') throw new Error(`${key}: ${JSON.stringify(outcome)}`)
  }
  return { ports, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The functions on these ports behind a server of 127.0.0.1, as `htsvault serve` has them. */
export async function serveVault(ports: VaultPorts): Promise<LocalServer> {
  provideAwslambda()
  const { routes } = await localHandlers(ports, silentLog, undefined)
  return startServer({ port: 0, routes })
}
