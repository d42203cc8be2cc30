import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import * as z from 'zod'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { HtsvaultError } from '#shared/errors.ts'
import { type Announcement, fileReadySchema, fileRefusedSchema } from '#shared/vault/announcement.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { folderVault } from '#test/support/folderVault.ts'

const root = join(import.meta.dirname, '..', '..')
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-announce-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

let ports: VaultPorts
let heard: Announcement[]
let deaf: number
beforeEach(() => {
  const folder = mkdtempSync(join(scratch, 'v-'))
  const pair = generateKeyPair(nodeBackend)
  heard = []
  deaf = 0
  ports = {
    ...folderVault(folder, pair),
    announcements: {
      async announce(announcement) {
        if (deaf-- > 0) throw new HtsvaultError('ANNOUNCEMENT_FAILED', 'nobody listens')
        heard.push(announcement)
      },
    },
  }
})
const upload = async (bytes: Uint8Array) => (await ports.inbox.put('d/x.bam', bytes)).etag
const child = () => readFile(join(root, 'demo', 'child.bam'))

describe('announcements', () => {
  test('a file is announced when it can be asked for', async () => {
    const etag = await upload(await child())
    ports = {
      ...ports,
      announcements: {
        async announce(announcement) {
          expect(await findManifest(ports.vault, 'd/x', ['BAM'])).toBeDefined()
          heard.push(announcement)
        },
      },
    }
    await ingestUpload(ports, 'd/x.bam')
    expect(heard).toEqual([
      {
        type: 'FileReady',
        detail: expect.objectContaining({ id: 'd/x', format: 'BAM', records: 1950, etag, version: 1 }),
      },
    ])
  })

  test('a refusal is announced with what to do', async () => {
    const etag = await upload(Buffer.from('##fileformat=VCFv4.2\n'))
    await ingestUpload(ports, 'd/x.bam')
    expect(heard).toEqual([
      {
        type: 'FileRefused',
        detail: expect.objectContaining({ upload: 'd/x.bam', code: 'PLAIN_VCF', etag }),
      },
    ])
  })

  test.each([['served', child] as const, ['refused', async () => Buffer.from('hello')] as const])(
    'where it fails, a file that is %s is not lost: the next try announces it',
    async (state, bytes) => {
      await upload(await bytes())
      deaf = 2
      for (let i = 0; i < 2; i++)
        await expect(ingestUpload(ports, 'd/x.bam')).rejects.toMatchObject({ code: 'ANNOUNCEMENT_FAILED' })
      expect(await ports.inbox.head('d/x.bam')).toBeDefined()
      if (state === 'served') expect(await findManifest(ports.vault, 'd/x', ['BAM'])).toBeDefined()
      expect((await ingestUpload(ports, 'd/x.bam')).state).toBe(state)
      expect(heard).toHaveLength(1)
    },
  )
})

test.each([
  ['FileReady.v1', fileReadySchema],
  ['FileRefused.v1', fileRefusedSchema],
])('events/schemas/%s.json is what is sent', (name, schema) => {
  const written = JSON.parse(readFileSync(join(root, 'events', 'schemas', `${name}.json`), 'utf8')) as object
  expect(written).toEqual(z.toJSONSchema(schema))
})
