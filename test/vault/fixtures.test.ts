import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { openStored } from '#shared/vault/openStored.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { fixtures, refusedFixtures } from '#test/fixtures/index.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-fixtures-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const pair = generateKeyPair(nodeBackend)
const ports: VaultPorts = {
  inbox: folderStore(join(scratch, 'inbox')),
  vault: folderStore(join(scratch, 'vault')),
  keys: { keyPair: async () => pair },
}

describe('every fixture is served', () => {
  test.each(fixtures.map(fixture => [fixture.name, fixture] as const))(
    '%s',
    async (name, { path, format, index }) => {
      const bytes = await readFile(path)
      await ports.inbox.put(`f/${name}`, bytes)
      const outcome = await ingestUpload(ports, `f/${name}`)
      expect(outcome).toMatchObject({ state: 'served', manifest: { format, index: { kind: index } } })
      if (outcome.state !== 'served') return
      const body = await openStored(ports, outcome.manifest.body)
      expect(Buffer.compare(await body.read(0, body.size), bytes)).toBe(0)
    },
  )
})

describe('every file that cannot be served is refused', () => {
  test.each(refusedFixtures.map(fixture => [fixture.name, fixture.code, fixture] as const))(
    '%s: %s',
    async (name, code, { path }) => {
      await ports.inbox.put(`r/${name}`, await readFile(path))
      const outcome = await ingestUpload(ports, `r/${name}`)
      expect(outcome).toMatchObject({
        state: 'refused',
        report: { code, hint: expect.any(String), place: { file: `r/${name}` } },
      })
      for await (const { key } of ports.vault.list('r/')) expect(key).toBeUndefined()
    },
  )
})
