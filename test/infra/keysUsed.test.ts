import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { segmentBytes } from '#shared/crypt4gh/sizes.ts'
import type { HtsgetQuery } from '#shared/htsget/HtsgetQuery.ts'
import { answerData } from '#shared/vault/answerData.ts'
import { answerTicket } from '#shared/vault/answerTicket.ts'
import { forgetManifest } from '#shared/vault/recentManifests.ts'
import { addRegisteredKey } from '#shared/vault/registeredKeys.ts'
import { ingestInShards } from '#shared/vault/large/ingestInShards.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { drainAsync } from '#test/crypt4gh/support.ts'
import { recordedPorts, type Use } from '#test/support/recordedPorts.ts'
import { statements } from './allowed.ts'
import { synthesise } from './synthesise.ts'
import { folderVault } from '#test/support/folderVault.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-keys-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const demo = (name: string) => readFile(join(import.meta.dirname, '../../demo', name))
const { stateless } = synthesise()

/** IAM's matching of a resource's name. */
const fits = (pattern: string, key: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  ).test(key)

/** Whether the role of a function may do this: some statement allows it, and none forbids it. */
function may(role: string, { store, action, key }: Use): boolean {
  const effects = statements(stateless)
    .filter(({ owner }) => owner.startsWith(`Service${role}`) && owner.includes('Policy'))
    .filter(({ statement }) => [statement.Action].flat().includes(action))
    .filter(({ statement }) =>
      [statement.Resource].flat().some(resource => {
        const text = JSON.stringify(resource)
        if (!text.includes(store === 'inbox' ? 'BucketsInbox' : 'BucketsVault')) return false
        const pattern = /"\/([^"]*)"\]\]\}$/.exec(text)?.[1]
        return key === undefined ? pattern === undefined : pattern !== undefined && fits(pattern, key)
      }),
    )
    .map(({ statement }) => statement.Effect)
  return effects.includes('Allow') && !effects.includes('Deny')
}

const pair = generateKeyPair(nodeBackend)

/** What ingest, ticket and data ask of the stores for one upload, ingested twice so that there is a generation. */
async function usesOf(name: string, settings: object): Promise<Record<'Ingest' | 'Ticket' | 'Data', Use[]>> {
  const folder = mkdtempSync(join(scratch, 'v-'))
  const real: VaultPorts = folderVault(folder, pair)
  await real.vault.put(
    'd/dataset.json',
    Buffer.from(JSON.stringify({ ...settings, access: [{ issuer: 'https://idp', anyone: true }] })),
  )
  const [ingest, ticket, data] = [recordedPorts(real), recordedPorts(real), recordedPorts(real)]
  await real.inbox.put('d/broken.bam', Buffer.from('BAM'))
  await ingestUpload(ingest.ports, 'd/broken.bam')
  const datatype = /vcf|bcf/.test(name) ? 'variants' : 'reads'
  for (let round = 0; round < 2; round++) {
    await real.inbox.put(`d/${name}`, await demo(name))
    expect((await ingestUpload(ingest.ports, `d/${name}`)).state).toBe('served')
    const id = `d/${name.replace(/\..*/, '')}`
    // As after some seconds: another function than the ingest remembers manifests for so long.
    forgetManifest(ticket.ports.vault, id)
    const identity = { issuer: 'https://idp', subject: 'alice', claims: {} }
    await addRegisteredKey(real.vault, identity, Buffer.from(pair.publicKey))
    const plain: HtsgetQuery = { datatype, headerOnly: false }
    const region = { ...plain, regions: [{ referenceName: 'chr1', start: 0, end: 1000 }] }
    for (const query of [plain, region].flatMap(q => [q, { ...q, encryptionScheme: 'crypt4gh' as const }])) {
      const answer = await answerTicket(ticket.ports, id, query, { dataUrl: 'data/', identity })
      const { urls } = (JSON.parse(answer) as { htsget: { urls: { url: string }[] } }).htsget
      for (const { url } of urls.filter(u => u.url.startsWith('data/')))
        for await (const chunk of (await answerData(data.ports, url.slice(5))).body)
          expect(chunk.length).toBeGreaterThan(0)
    }
  }
  return { Ingest: ingest.uses, Ticket: ticket.uses, Data: data.uses }
}

describe('what the functions ask of the buckets is what their roles may do', () => {
  test.each(['child.bam', 'child.cram', 'trio.vcf.gz', 'trio.bcf'])('%s', async name => {
    for (const encryption of ['crypt4gh', 'none']) {
      const uses = await usesOf(name, { encryption })
      for (const [role, asked] of Object.entries(uses)) {
        expect(asked.length).toBeGreaterThan(2)
        expect(asked.filter(use => !may(role, use)).map(use => [role, use])).toEqual([])
      }
    }
  })

  test.each(['crypt4gh', 'none'] as const)('a large file, of a dataset of %s', async encryption => {
    const real = folderVault(mkdtempSync(join(scratch, 'v-')), pair)
    await real.vault.put('d/dataset.json', Buffer.from(JSON.stringify({ encryption })))
    const { ports, uses } = recordedPorts(real)
    const plain = await demo('child.cram')
    const recipients = [pair.publicKey]
    const sealed = await drainAsync(encryptStream([plain], { recipients }, nodeBackend))
    const cuts = () => ({ partBytes: segmentBytes, shardParts: 1 })
    for (const upload of [plain, sealed, plain.subarray(0, 200_000)]) {
      await real.inbox.put('d/x.cram', upload)
      await ingestInShards(ports, 'd/x.cram', { cuts })
    }
    // Parts of an encrypted upload are copied: read from the inbox, written into the vault.
    expect(uses).toContainEqual({ store: 'inbox', action: 's3:GetObject', key: 'd/x.cram' })
    expect(uses.filter(use => !may('LargeIngest', use))).toEqual([])
  })

  test.each([
    ['Ticket', 's3:GetObject', 'd/x.bam.bai.c4gh'],
    ['Data', 's3:GetObject', 'd/x.bam.bai.c4gh'],
    ['Data', 's3:GetObject', 'd/dataset.json'],
    ['Data', 's3:PutObject', 'd/x.bam.c4gh'],
    ['Ticket', 's3:PutObject', 'd/x.bam.manifest.json'],
    ['Ingest', 's3:PutObject', 'd/dataset.json'],
    ['Ingest', 's3:DeleteObject', 'd/dataset.json'],
    ['Ingest', 's3:PutObject', 'd/GRCh38.dict'],
    ['Ingest', 's3:DeleteObject', 'd/GRCh38.dict'],
    ['Ingest', 's3:PutObject', 'd/genome.fa.fai'],
    ['Ingest', 's3:PutObject', '_htsvault/keys/0.json'],
    ['Data', 's3:GetObject', '_htsvault/keys/0.json'],
    ['Ticket', 's3:PutObject', '_htsvault/keys/0.json'],
  ] as const)('%s may not %s of %s', (role, action, key) => {
    expect(may(role, { store: 'vault', action, key })).toBe(false)
  })

  test('the ingest reads the dictionary of a dataset', () => {
    expect(may('Ingest', { store: 'vault', action: 's3:GetObject', key: 'd/GRCh38.dict' })).toBe(true)
  })

  test('the ingest writes into the inbox refusals alone', () => {
    expect(may('Ingest', { store: 'inbox', action: 's3:PutObject', key: 'd/x.bam' })).toBe(false)
    expect(may('Ingest', { store: 'inbox', action: 's3:PutObject', key: 'd/x.bam.refused.json' })).toBe(true)
  })
})
