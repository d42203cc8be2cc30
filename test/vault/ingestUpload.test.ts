import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { encryptStream } from '#shared/crypt4gh/encryptStream.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { answerData } from '#shared/vault/answerData.ts'
import { answerTicket } from '#shared/vault/answerTicket.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { openStored } from '#shared/vault/openStored.ts'
import type { ObjectStore } from '#shared/vault/ports/ObjectStore.ts'
import { rekeyForKey } from '#shared/vault/rekey.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { deafStore, Killed, killedPorts } from '#test/support/faults.ts'
import { drainAsync } from '../crypt4gh/support.ts'
import { folderVault, keysOf } from '#test/support/folderVault.ts'

const demo = (name: string) => readFile(join(import.meta.dirname, '..', '..', 'demo', name))
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-ingest-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const pair = generateKeyPair(nodeBackend)
let round = 0
let ports: VaultPorts
beforeEach(() => {
  ports = newPorts()
})

function newPorts(): VaultPorts {
  const folder = join(scratch, String(++round))
  return folderVault(folder, pair)
}

async function plainOf(part: 'body' | 'index' | 'blockMap', id = 'd/x'): Promise<Buffer> {
  const manifest = await findManifest(ports.vault, id, ['BAM', 'VCF'])
  const source = await openStored(ports, manifest![part])
  return Buffer.from(await source.read(0, source.size))
}

const servedKeys = ['d/x.bam.bai.c4gh', 'd/x.bam.blockmap.c4gh', 'd/x.bam.c4gh', 'd/x.bam.manifest.json']

describe('ingest', () => {
  test('an upload is served, and gone from the inbox', async () => {
    const bytes = await demo('child.bam')
    await ports.inbox.put('d/x.bam', bytes)
    const outcome = await ingestUpload(ports, 'd/x.bam')
    expect(outcome).toMatchObject({
      state: 'served',
      manifest: {
        id: 'd/x',
        format: 'BAM',
        sha256: createHash('sha256').update(bytes).digest('hex'),
        md5: createHash('md5').update(bytes).digest('hex'),
        body: { plainSize: bytes.length },
        records: 1950,
        unplacedRecords: 80,
      },
    })
    expect(await keysOf(ports.inbox)).toEqual([])
    expect(await keysOf(ports.vault)).toEqual(servedKeys)
    expect(Buffer.compare(await plainOf('body'), bytes)).toBe(0)
    const manifest = await findManifest(ports.vault, 'd/x', ['BAM'])
    for (const part of ['body', 'index', 'blockMap'] as const) {
      const { key, crc64nvme: sum } = manifest![part]
      expect(sum).toBe(writeCrc64nvme(crc64nvme((await ports.vault.get(key, 1e7))!.bytes)))
    }
    expect(await ingestUpload(ports, 'd/x.bam')).toEqual({ state: 'gone' })
  })

  test('no plain byte is in the vault, unless the dataset says so', async () => {
    const bytes = await demo('trio.vcf.gz')
    await ports.vault.put('open/dataset.json', Buffer.from('{"encryption":"none"}'))
    for (const dataset of ['open', 'shut']) {
      await ports.inbox.put(`${dataset}/x.vcf.gz`, bytes)
      expect((await ingestUpload(ports, `${dataset}/x.vcf.gz`)).state).toBe('served')
    }
    expect((await ports.vault.get('open/x.vcf.gz', 1e6))!.bytes).toEqual(bytes)
    const shut = (await ports.vault.get('shut/x.vcf.gz.c4gh', 1e6))!.bytes
    expect(Buffer.from(shut).indexOf(bytes.subarray(1000, 1016))).toBe(-1)
  })

  test("the dataset's recipients can open it", async () => {
    const reader = generateKeyPair(nodeBackend)
    await ports.vault.put(
      'd/dataset.json',
      Buffer.from(JSON.stringify({ recipients: [writePublicKey(reader.publicKey)] })),
    )
    await ports.inbox.put('d/x.bam', await demo('child.bam'))
    await ingestUpload(ports, 'd/x.bam')
    ports = { ...ports, keys: { keyPair: async () => reader } }
    expect(Buffer.compare(await plainOf('body'), await demo('child.bam'))).toBe(0)
    expect((await plainOf('index')).subarray(0, 4).toString('latin1')).toBe('BAI\u0001')
  })

  test.each([
    ['{"recipients":["nonsense"]}', 'DATASET_SETTINGS_INVALID'],
    ['{"encryption":"rot13"}', 'DATASET_SETTINGS_INVALID'],
    ['not json', 'DATASET_SETTINGS_INVALID'],
  ])('settings %s are refused: nothing is stored for fewer readers, or more', async (settings, code) => {
    await ports.vault.put('d/dataset.json', Buffer.from(settings))
    await ports.inbox.put('d/x.bam', await demo('child.bam'))
    expect(await ingestUpload(ports, 'd/x.bam')).toMatchObject({ state: 'refused', report: { code } })
    expect(await keysOf(ports.vault)).toEqual(['d/dataset.json'])
  })

  test('a recipient that is no key is named', async () => {
    const recipients = [
      writePublicKey(generateKeyPair(nodeBackend).publicKey),
      Buffer.alloc(32).toString('base64'),
    ]
    await ports.vault.put('d/dataset.json', Buffer.from(JSON.stringify({ recipients })))
    await ports.inbox.put('d/x.bam', await demo('child.bam'))
    expect(await ingestUpload(ports, 'd/x.bam')).toMatchObject({
      report: { code: 'DATASET_SETTINGS_INVALID', message: expect.stringContaining('recipient 2') },
    })
  })

  test.each([
    ['cut', async () => (await demo('child.bam')).subarray(0, 100_000), /^BGZF_/],
    ['empty', async () => Buffer.alloc(0), /^EMPTY_FILE$/],
    ['plain VCF', async () => Buffer.from('##fileformat=VCFv4.2\n'), /^PLAIN_VCF$/],
    ['SAM', async () => Buffer.from('@HD\tVN:1.6\n'), /^PLAIN_SAM$/],
    ['anything', async () => Buffer.from('hello'), /^UNKNOWN_FORMAT$/],
  ])('a file that is %s stays, with the reason beside it', async (_, bytes, code) => {
    const upload = await ports.inbox.put('d/x.bam', await bytes())
    expect(await ingestUpload(ports, 'd/x.bam')).toMatchObject({
      state: 'refused',
      report: { code: expect.stringMatching(code) },
    })
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam', 'd/x.bam.refused.json'])
    expect(await keysOf(ports.vault)).toEqual([])
    const report = JSON.parse(
      Buffer.from((await ports.inbox.get('d/x.bam.refused.json', 1e5))!.bytes).toString(),
    ) as object
    expect(report).toMatchObject({
      file: 'd/x.bam',
      etag: upload.etag,
      code: expect.stringMatching(code),
      hint: expect.any(String),
    })

    // The mended file, under the same name.
    await ports.inbox.put('d/x.bam', await demo('child.bam'))
    expect((await ingestUpload(ports, 'd/x.bam')).state).toBe('served')
    expect(await keysOf(ports.inbox)).toEqual([])
  })

  test('a file is known by its content: the ending in the vault is its format', async () => {
    await ports.inbox.put('d/x.bam', await demo('trio.vcf.gz'))
    await ingestUpload(ports, 'd/x.bam')
    expect(await keysOf(ports.vault)).toContain('d/x.vcf.gz.c4gh')
  })

  test('a new version takes the place of the old; a ticket for the old one ends', async () => {
    await ports.inbox.put('d/x.vcf.gz', await demo('trio.vcf.gz'))
    await ingestUpload(ports, 'd/x.vcf.gz')
    const query = { datatype: 'variants', headerOnly: false } as const
    const ticket = JSON.parse(await answerTicket(ports, 'd/x', query, { dataUrl: '' })) as {
      htsget: { urls: { url: string }[] }
    }
    const token = ticket.htsget.urls[0]!.url
    await expect(answerData(ports, token)).resolves.toMatchObject({ statusCode: 200 })

    await ports.inbox.put('d/x.vcf.gz', await demo('trio.vcf.gz'))
    expect((await ingestUpload(ports, 'd/x.vcf.gz')).state).toBe('served')
    const keys = await keysOf(ports.vault)
    expect(keys).toHaveLength(4)
    expect(keys.filter(key => /\.g[0-9a-f]{8}\./.test(key))).toHaveLength(3)
    await expect(answerData(ports, token)).rejects.toMatchObject({ code: 'FILE_REPLACED' })
    expect(Buffer.compare(await plainOf('body'), await demo('trio.vcf.gz'))).toBe(0)
  })

  test('two runs of one event: one file, whole', async () => {
    for (let i = 0; i < 5; i++) {
      ports = newPorts()
      await ports.inbox.put('d/x.bam', await demo('child.bam'))
      const ends = await Promise.allSettled([ingestUpload(ports, 'd/x.bam'), ingestUpload(ports, 'd/x.bam')])
      // Whoever lost is sent the event again.
      if (ends.some(end => end.status === 'rejected')) await ingestUpload(ports, 'd/x.bam')
      expect(await keysOf(ports.inbox)).toEqual([])
      expect(await keysOf(ports.vault)).toHaveLength(4)
      expect(Buffer.compare(await plainOf('body'), await demo('child.bam'))).toBe(0)
    }
  })

  test('an outage is not a refusal', async () => {
    await ports.inbox.put('d/x.bam', await demo('child.bam'))
    const dying = killedPorts(ports, 8, false)
    await expect(ingestUpload(dying.ports, 'd/x.bam')).rejects.toThrow(Killed)
    await dying.bury()
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
  })

  test('where the answer to the manifest is lost, what it names stays', async () => {
    const bytes = await demo('child.bam')
    await ports.inbox.put('d/x.bam', bytes)
    const deaf = { ...ports, vault: deafStore(ports.vault, /manifest/) }
    await expect(ingestUpload(deaf, 'd/x.bam')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(Buffer.compare(await plainOf('body'), bytes)).toBe(0)
    expect((await ingestUpload(ports, 'd/x.bam')).state).toBe('served')
    expect(await keysOf(ports.vault)).toEqual(servedKeys)
  })

  test('the file that it replaces may be re-keyed meanwhile', async () => {
    const bytes = await demo('child.bam')
    for (const rekey of [false, true]) {
      await ports.inbox.put('d/x.bam', bytes)
      const vault: ObjectStore = {
        ...ports.vault,
        // The last that is written before the manifest.
        async create(key, size) {
          const ring = { ...generateKeyPair(nodeBackend), others: [pair] }
          if (rekey && key.includes('blockmap'))
            await rekeyForKey({ ...ports, keys: { keyPair: async () => ring } })
          return ports.vault.create(key, size)
        },
      }
      expect((await ingestUpload({ ...ports, vault }, 'd/x.bam')).state).toBe('served')
    }
    expect(Buffer.compare(await plainOf('body'), bytes)).toBe(0)
    expect(await keysOf(ports.vault)).toHaveLength(4)
  })
})

describe('killed at any point, and started again', () => {
  const asItIs = async (bytes: Uint8Array) => bytes
  const encrypted = async (bytes: Uint8Array) =>
    drainAsync(encryptStream([bytes], { recipients: [pair.publicKey] }, nodeBackend))
  test.each([
    ['plain', 'not heard', asItIs],
    ['plain', 'heard', asItIs],
    ['encrypted', 'not heard', encrypted],
    ['encrypted', 'heard', encrypted],
  ] as const)(
    'ends as an undisturbed run does (%s, the last word %s)',
    async (_, last, make) => {
      const heard = last === 'heard'
      const bytes = await demo('child.bam')
      const upload = await make(bytes)
      let points = 0
      for (let after = 1; ; after++) {
        ports = newPorts()
        await ports.inbox.put('d/x.bam', upload)
        const dying = killedPorts(ports, after, heard)
        const died = await ingestUpload(dying.ports, 'd/x.bam').then(
          () => false,
          () => true,
        )
        await dying.bury()
        // At no point is there something between nothing and the whole file.
        const manifest = await findManifest(ports.vault, 'd/x', ['BAM'])
        if (manifest) expect(Buffer.compare(await plainOf('body'), bytes)).toBe(0)
        else expect(await keysOf(ports.inbox)).toContain('d/x.bam')

        await ingestUpload(ports, 'd/x.bam')
        expect(await keysOf(ports.inbox)).toEqual([])
        expect(await keysOf(ports.vault)).toHaveLength(4)
        for (const part of ['body', 'index', 'blockMap'] as const)
          expect((await plainOf(part)).length).toBeGreaterThan(0)
        expect(Buffer.compare(await plainOf('body'), bytes)).toBe(0)
        if (!died && dying.said() < after) break
        points++
      }
      expect(points).toBeGreaterThan(20)
    },
    60_000,
  )
})
