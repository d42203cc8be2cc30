import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { readFile, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { folderStore } from '#shared/local/folderStore.ts'
import { keyFile, keyFileRotation } from '#shared/local/keyFile.ts'
import { answerData } from '#shared/vault/answerData.ts'
import { answerTicket } from '#shared/vault/answerTicket.ts'
import { readDataToken, signDataToken } from '#shared/vault/dataTokens.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { planLarge } from '#shared/vault/large/planLarge.ts'
import { publishLarge } from '#shared/vault/large/publishLarge.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import type { Manifest } from '#shared/vault/Manifest.ts'
import { openStored } from '#shared/vault/openStored.ts'
import type { KeyPair } from '#shared/vault/ports/KeyStore.ts'
import { rekeyDataset, rekeyForKey } from '#shared/vault/rekey.ts'
import { rotateKey, settleMs } from '#shared/vault/rotateKey.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { killedPorts } from '#test/support/faults.ts'

const demo = (name: string) => readFile(join(import.meta.dirname, '..', '..', 'demo', name))
const scratch = mkdtempSync(join(tmpdir(), 'htsvault-rotate-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const reader = generateKeyPair(nodeBackend)
const parts = ['body', 'index', 'blockMap'] as const
const ids = ['d/x', 'd/y', 'e/z']
let folder: string
let ports: VaultPorts
let plain: Buffer

/** A vault of three small files in two datasets, one of which has a recipient. */
beforeEach(async () => {
  folder = mkdtempSync(join(scratch, 'v-'))
  ports = {
    inbox: folderStore(join(folder, 'inbox')),
    vault: folderStore(join(folder, 'vault')),
    keys: keyFile(folder),
  }
  await name('d', [reader])
  plain = await demo('trio.vcf.gz')
  for (const id of ids) await upload(id)
})

const name = (dataset: string, readers: readonly KeyPair[]) =>
  ports.vault.put(
    `${dataset}/dataset.json`,
    Buffer.from(JSON.stringify({ recipients: readers.map(r => writePublicKey(r.publicKey)) })),
  )

async function upload(id: string): Promise<void> {
  await ports.inbox.put(`${id}.vcf.gz`, plain)
  expect((await ingestUpload(ports, `${id}.vcf.gz`)).state).toBe('served')
}

const manifestOf = async (id: string): Promise<Manifest> => (await findManifest(ports.vault, id, ['VCF']))!

/** More manifests than one call looks at. */
async function copyManifest(copies: number): Promise<void> {
  const { bytes } = (await ports.vault.get('d/x.vcf.gz.manifest.json', 1 << 20))!
  for (let i = 0; i < copies; i++) await ports.vault.put(`z/${i}.vcf.gz.manifest.json`, bytes)
}

/** Whether this pair alone opens every header of a file. */
async function opens(id: string, pair: KeyPair): Promise<boolean> {
  const manifest = await manifestOf(id)
  try {
    for (const part of parts) {
      const header = readHeader(Buffer.from(manifest[part].header!, 'base64'))
      openHeader(header, { publicKey: pair.publicKey, secretKey: pair.secretKey }, nodeBackend)
    }
    return true
  } catch {
    return false
  }
}

async function expectServed(): Promise<void> {
  for (const id of ids) {
    const source = await openStored(ports, (await manifestOf(id)).body)
    expect(Buffer.compare(await source.read(0, source.size), plain)).toBe(0)
  }
}

const rotation = () => keyFileRotation(folder)
const grant = { manifestKey: 'd/x.vcf.gz.manifest.json', etag: 'e', unit: 'bytes', start: 0, end: 9 } as const

describe('a rotation', () => {
  test('makes a pair, re-keys every header for it, and touches no body', async () => {
    const old = await ports.keys.keyPair()
    const bodies = await Promise.all(ids.map(async id => (await manifestOf(id)).body))
    const token = await signDataToken(grant, ports.keys, 60)
    const done = await rotateKey(ports, rotation())
    expect(done).toMatchObject({ step: 'rekeyed', progress: { rekeyed: 3, unchanged: 0, failures: 0 } })

    const pair = await ports.keys.keyPair()
    expect(pair.publicKey).not.toEqual(old.publicKey)
    for (const id of ids) {
      expect([await opens(id, pair), await opens(id, old)]).toEqual([true, false])
      expect(await opens(id, reader)).toBe(id.startsWith('d/'))
    }
    for (const [i, id] of ids.entries()) {
      const { header, ...body } = (await manifestOf(id)).body
      const { header: before, ...same } = bodies[i]!
      expect(body).toEqual(same)
      expect(header).not.toBe(before)
      expect((await ports.vault.head(body.key))!.etag).toBe(body.etag)
    }
    await expectServed()
    // What was handed out before is good, until the older pair is out of use.
    expect(await readDataToken(token, ports.keys)).toEqual(grant)

    const now = () => Date.now() + settleMs
    expect(await rotateKey(ports, rotation(), { retire: true, now })).toMatchObject({
      step: 'retired',
      progress: { rekeyed: 0, unchanged: 3 },
    })
    expect(await ports.keys.keyPair()).toEqual({ publicKey: pair.publicKey, secretKey: pair.secretKey })
    await expectServed()
    await expect(readDataToken(token, ports.keys)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    expect(readdirSync(join(folder, 'keys')).sort()).toEqual([
      expect.stringMatching(/^retired\..*\.sec$/),
      'vault.pub',
      'vault.sec',
    ])
  })

  test('leaves tickets good whose data is encrypted for them alone', async () => {
    const answer = await answerTicket(
      ports,
      'd/x',
      { datatype: 'variants', headerOnly: false, encryptionScheme: 'crypt4gh' },
      {
        dataUrl: 'data/',
        freshKeys: true,
        publicKey: Buffer.from(reader.publicKey).toString('base64'),
      },
    )
    const { urls } = (JSON.parse(answer) as { htsget: { urls: { url: string }[] } }).htsget
    const tokens = urls.filter(({ url }) => url.startsWith('data/')).map(({ url }) => url.slice(5))
    expect((await readDataToken(tokens[0]!, ports.keys)).unit).toBe('sealed')
    const read = async () => {
      const chunks: Uint8Array[] = []
      for (const token of tokens)
        for await (const chunk of (await answerData(ports, token)).body) chunks.push(Buffer.from(chunk))
      return Buffer.concat(chunks)
    }
    const before = await read()
    await rotateKey(ports, rotation())
    expect(Buffer.compare(await read(), before)).toBe(0)
  })

  test('that is asked for again goes on, and makes no third pair', async () => {
    await rotateKey(ports, rotation())
    const pair = await ports.keys.keyPair()
    await upload('d/x')
    expect(await rotateKey(ports, rotation())).toMatchObject({ progress: { rekeyed: 0, unchanged: 3 } })
    expect((await ports.keys.keyPair()).publicKey).toEqual(pair.publicKey)
  })

  test('begun by two at once has one new pair', async () => {
    const from = new Date()
    const ends = await Promise.allSettled([rotation().begin(from), rotation().begin(from)])
    expect(ends.some(({ status }) => status === 'fulfilled')).toBe(true)
    expect((await ports.keys.keyPair()).others).toHaveLength(1)
  })

  test('uses a new pair only when every process knows of it', async () => {
    const old = await ports.keys.keyPair()
    const slow = { ...rotation(), leadMs: 600_000 }
    const made = await rotateKey(ports, slow)
    expect(made).toMatchObject({ step: 'made' })
    expect((await ports.keys.keyPair()).publicKey).toEqual(old.publicKey)
    expect(await rotateKey(ports, slow)).toEqual(made)
    for (const id of ids) expect(await opens(id, old)).toBe(true)
  })

  test('does not retire a pair that somebody may still use', async () => {
    const retire = { retire: true } as const
    await expect(rotateKey(ports, rotation(), retire)).rejects.toMatchObject({ code: 'ROTATION_NOT_BEGUN' })
    await rotateKey(ports, rotation())
    await expect(rotateKey(ports, rotation(), retire)).rejects.toMatchObject({ code: 'ROTATION_TOO_EARLY' })

    await ports.vault.put('d/w.bam.manifest.json', Buffer.from('{}'))
    const now = () => Date.now() + settleMs
    await expect(rotateKey(ports, rotation(), { ...retire, now })).rejects.toMatchObject({
      code: 'ROTATION_INCOMPLETE',
      message: expect.stringContaining('d/w.bam.manifest.json, MANIFEST_CORRUPT'),
    })
    expect((await ports.keys.keyPair()).others).toHaveLength(1)
  })

  test('does not retire a pair while a large ingest that began with it is under way', async () => {
    const { etag } = await ports.inbox.put('d/x.vcf.gz', plain)
    const cuts = () => ({ partBytes: 65536, shardParts: 1 })
    await planLarge(ports, { work: 'w', key: 'd/x.vcf.gz', etag }, cuts)
    await rotateKey(ports, rotation())
    const later = (ms: number) => rotateKey(ports, rotation(), { retire: true, now: () => Date.now() + ms })
    await expect(later(settleMs)).rejects.toMatchObject({
      code: 'ROTATION_TOO_EARLY',
      message: expect.stringMatching(/^1 large ingests .* \(first: w\)$/),
    })
    await workShard(ports, 'w', 0)
    await expect(later(12 * 3600_000)).rejects.toMatchObject({ code: 'ROTATION_TOO_EARLY' })
    expect((await publishLarge(ports, 'w')).state).toBe('served')
    // One that began later, with the newer pair, is in nobody's way.
    await ports.vault.put('_htsvault/work/later/plan.c4gh', plain)
    const path = join(folder, 'vault/_htsvault/work/later/plan.c4gh')
    await utimes(path, new Date(), new Date(Date.now() + settleMs))
    expect(await later(settleMs)).toMatchObject({ step: 'retired' })
    await expectServed()
  })

  test('is not held up by a large ingest that died', async () => {
    await ports.vault.put('_htsvault/work/dead/plan.c4gh', plain)
    await rotateKey(ports, rotation())
    const now = () => Date.now() + 25 * 3600_000
    expect(await rotateKey(ports, rotation(), { retire: true, now })).toMatchObject({ step: 'retired' })
  })

  test('retires nothing before the last manifest was looked at', async () => {
    await rotateKey(ports, rotation())
    await copyManifest(40)
    const now = () => Date.now() + settleMs
    const step = await rotateKey(ports, rotation(), { retire: true, now, stop: () => true })
    expect(step).toMatchObject({ step: 'rekeyed', progress: { after: expect.any(String) } })
    expect((await ports.keys.keyPair()).others).toHaveLength(1)
  })

  test('retires nothing where a manifest failed in an earlier call of the pass', async () => {
    await rotateKey(ports, rotation())
    await ports.vault.put('a/0.bam.manifest.json', Buffer.from('{}'))
    await copyManifest(20)
    const now = () => Date.now() + settleMs
    const pass = async () => {
      for (let after: string | undefined; ;) {
        const step = await rotateKey(ports, rotation(), { retire: true, now, after, stop: () => true })
        if (step.step !== 'rekeyed' || step.progress.after === undefined) return step.step
        after = step.progress.after
      }
    }
    await expect(pass()).rejects.toMatchObject({ code: 'ROTATION_INCOMPLETE' })
    expect((await ports.keys.keyPair()).others).toHaveLength(1)
  })
})

describe('re-keying', () => {
  test('killed at any point leaves every file readable, and the next run ends it', async () => {
    await rotation().begin(new Date())
    const pair = await ports.keys.keyPair()
    for (const heard of [false, true])
      for (let after = 1; ; after++) {
        const dying = killedPorts(ports, after, heard)
        const died = await rekeyForKey(dying.ports).then(
          () => false,
          () => true,
        )
        await dying.bury()
        await expectServed()
        if (!died) break
      }
    const { progress } = (await rotateKey(ports, rotation())) as { progress: object }
    expect(progress).toMatchObject({ rekeyed: 0, unchanged: 3 })
    for (const id of ids) expect(await opens(id, pair)).toBe(true)
  })

  test('goes on where it stopped', async () => {
    for (let i = 10; i < 40; i++)
      await ports.vault.put(
        `d/c${i}.vcf.gz.manifest.json`,
        (await ports.vault.get('d/x.vcf.gz.manifest.json', 1e6))!.bytes,
      )
    await rotation().begin(new Date())
    let [rekeyed, calls] = [0, 0]
    for (let after: string | undefined; ;) {
      const progress = await rekeyForKey(ports, { after, stop: () => true })
      rekeyed += progress.rekeyed
      calls++
      after = progress.after
      if (after === undefined) break
    }
    expect([rekeyed, calls]).toEqual([33, 3])
  })

  test('does not undo what somebody else wrote in between', async () => {
    await rotation().begin(new Date())
    const { vault } = ports
    let raced = false
    const racing: VaultPorts = {
      ...ports,
      vault: {
        ...vault,
        async put(key, bytes, condition) {
          if (!raced && key === 'd/x.vcf.gz.manifest.json') {
            raced = true
            await upload('d/x')
          }
          return vault.put(key, bytes, condition)
        },
      },
    }
    expect(await rekeyForKey(racing)).toMatchObject({ rekeyed: 2, unchanged: 1, failures: 0 })
    expect((await manifestOf('d/x')).body.key).toMatch(/\.g[0-9a-f]{8}\./)
    await expectServed()
  })

  test('an outage ends it; one bad manifest does not', async () => {
    await rotation().begin(new Date())
    await ports.vault.put('a/bad.bam.manifest.json', Buffer.from('{}'))
    expect(await rekeyForKey(ports)).toMatchObject({
      rekeyed: 3,
      failures: 1,
      failed: [{ key: 'a/bad.bam.manifest.json', code: 'MANIFEST_CORRUPT' }],
    })
  })
})

describe('re-keying a dataset', () => {
  test('opens its files to whom the settings name now, and to nobody else', async () => {
    const other = generateKeyPair(nodeBackend)
    await name('d', [other])
    expect(await rekeyDataset(ports, 'd')).toMatchObject({ rekeyed: 2, unchanged: 0, failures: 0 })
    for (const id of ['d/x', 'd/y'])
      expect([await opens(id, other), await opens(id, reader)]).toEqual([true, false])
    expect(await opens('e/z', other)).toBe(false)
    await expectServed()
  })

  test('leaves files alone that are not encrypted', async () => {
    await ports.vault.put('open/dataset.json', Buffer.from('{"encryption":"none"}'))
    await upload('open/x')
    await ports.vault.put('open/dataset.json', Buffer.from('{}'))
    expect(await rekeyDataset(ports, 'open')).toMatchObject({ rekeyed: 0, unchanged: 1 })
  })

  test('does nothing where a recipient is no key', async () => {
    await ports.vault.put('d/dataset.json', Buffer.from('{"recipients":["nonsense"]}'))
    const before = await manifestOf('d/x')
    await expect(rekeyDataset(ports, 'd')).rejects.toMatchObject({ code: 'DATASET_SETTINGS_INVALID' })
    expect(await manifestOf('d/x')).toEqual(before)
  })
})
