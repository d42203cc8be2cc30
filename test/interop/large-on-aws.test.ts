import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { s3Store } from '#shared/aws/s3Store.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePrivateKey } from '#shared/crypt4gh/keys/writePrivateKey.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { abandonLarge } from '#shared/vault/large/abandonLarge.ts'
import { ingestInShards } from '#shared/vault/large/ingestInShards.ts'
import { planLarge } from '#shared/vault/large/planLarge.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { openStored } from '#shared/vault/openStored.ts'
import type { Manifest } from '#shared/vault/Manifest.ts'
import type { ObjectStore } from '#shared/vault/ports/ObjectStore.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { bamHeader, bamRecord } from '#test/support/bamBuilder.ts'
import { concatBytes } from '#test/support/concatBytes.ts'
import { output, requireTools, temporaryFolder } from '#test/support/interop.ts'
import { startMoto, type MotoServer } from '#test/support/motoServer.ts'
import { manifestOf, plainOf } from '#test/support/seenFile.ts'
import { reblock } from '#test/support/reblock.ts'

jest.setTimeout(180_000)

const folder = temporaryFolder()

/** A BAM file of some 14 MB: S3 takes no parts below 5 MiB but the last. */
function largeBam(): Buffer {
  const tags = concatBytes(
    Buffer.from('XXZ'),
    Buffer.from(randomBytes(5000).toString('hex')),
    Buffer.from([0]),
  )
  const records = Array.from({ length: 1400 }, (_, i) =>
    bamRecord({ refId: 0, pos: 40 * i, bases: 60, cigar: [60 << 4], name: `r${i}`, tags }),
  )
  const plain = concatBytes(bamHeader([['chr1', 1_000_000]]), ...records)
  return reblock(plain, { sizeOf: () => 61_000, level: 0 })
}

requireTools('moto_server', 'crypt4gh')('a large ingest on S3 (moto_server)', () => {
  let moto: MotoServer
  let s3: S3Client
  let ports: VaultPorts
  beforeAll(async () => {
    moto = await startMoto()
    s3 = new S3Client({ ...moto.settings, forcePathStyle: true })
    for (const Bucket of ['inbox', 'vault'])
      await s3.send(
        new CreateBucketCommand({
          Bucket,
          CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
        }),
      )
    const pair = generateKeyPair(nodeBackend)
    ports = {
      inbox: s3Store(s3, 'inbox'),
      vault: s3Store(s3, 'vault'),
      keys: { keyPair: async () => pair },
    }
  })
  afterAll(() => moto.stop())

  const keysOf = async (store: ObjectStore) => {
    const keys: string[] = []
    for await (const { key } of store.list('')) keys.push(key)
    return keys
  }
  const uploadsUnderWay = async () =>
    (await s3.send(new ListMultipartUploadsCommand({ Bucket: 'vault' }))).Uploads ?? []
  const cuts = () => ({ partBytes: 80 * 65536, shardParts: 1 })

  test('stores what one pass stores, and leaves nothing else', async () => {
    const file = largeBam()
    const seen = async (manifest: Manifest) =>
      Promise.all(
        (['body', 'index', 'blockMap'] as const).map(async part => {
          const source = await openStored(ports, manifest[part])
          return Buffer.from(await source.read(0, source.size))
        }),
      )
    const found: Buffer[][] = []
    for (const ingest of [
      ingestUpload,
      (p: VaultPorts, key: string) => ingestInShards(p, key, { cuts, workers: 3 }),
    ]) {
      await ports.inbox.put('d/x.bam', file)
      const end = await ingest(ports, 'd/x.bam')
      if (end.state !== 'served') throw new Error(JSON.stringify(end))
      found.push(await seen(end.manifest))
    }
    expect(found[1]![0]!.equals(file)).toBe(true)
    for (const part of [0, 1, 2]) expect(found[1]![part]!.equals(found[0]![part]!)).toBe(true)
    expect(await keysOf(ports.inbox)).toEqual([])
    expect(await keysOf(ports.vault)).toHaveLength(4)
    expect(await uploadsUnderWay()).toEqual([])
  })

  test('an encrypted upload is copied by S3, part by part, behind a new header that the reference reads', async () => {
    const plain = largeBam()
    const lab = generateKeyPair(nodeBackend)
    const settings = { recipients: [writePublicKey(lab.publicKey)] }
    await ports.vault.put('c/dataset.json', Buffer.from(JSON.stringify(settings)))
    const { publicKey } = await ports.keys.keyPair()
    const [vaultKey, labKey] = [join(folder, 'vault.pub'), join(folder, 'lab.sec')]
    writeFileSync(vaultKey, writePublicKey(publicKey))
    writeFileSync(labKey, await writePrivateKey(lab.secretKey, nodeBackend), { mode: 0o600 })
    const reference = (args: string[], input: Buffer) =>
      output('crypt4gh', args, { input, env: { C4GH_SECRET_KEY: undefined } })
    const file = await reference(['encrypt', '--sk', labKey, '--recipient_pk', vaultKey], plain)
    const found: Buffer[][] = []
    for (const ingest of [
      ingestUpload,
      (p: VaultPorts, key: string) => ingestInShards(p, key, { cuts, workers: 3 }),
    ]) {
      await ports.inbox.put('c/x.bam.c4gh', file)
      const { body, ...manifest } = manifestOf(await ingest(ports, 'c/x.bam.c4gh'))
      const parts = ['index', 'blockMap'] as const
      // By its range: of a whole that was made by parts, moto shows a sum that is none.
      const object = Buffer.from(await ports.vault.read(body.key, 0, body.size, body.etag))
      found.push([
        object.subarray(body.bodyOffset),
        ...(await Promise.all(parts.map(part => plainOf(ports, { body, ...manifest }, part)))),
      ])
      expect(plain.equals(await reference(['decrypt', '--sk', labKey], object))).toBe(true)
    }
    expect(found[1]![0]!.equals(file.subarray(file.length - found[1]![0]!.length))).toBe(true)
    for (const part of [0, 1, 2]) expect(found[1]![part]!.equals(found[0]![part]!)).toBe(true)
    // Damaged, it leaves nothing but the word why.
    file[file.length - 100 * 65564]! ^= 1
    await ports.inbox.put('c/y.bam.c4gh', file)
    expect(await ingestInShards(ports, 'c/y.bam.c4gh', { cuts })).toMatchObject({
      state: 'refused',
      report: { code: 'CRYPT4GH_SEGMENT_CORRUPT' },
    })
    expect(await keysOf(ports.inbox)).toEqual(['c/y.bam.c4gh', 'c/y.bam.c4gh.refused.json'])
    expect((await keysOf(ports.vault)).filter(key => key.startsWith('c/y') || key.startsWith('_'))).toEqual(
      [],
    )
    expect(await uploadsUnderWay()).toEqual([])
  })

  test('given up, it leaves neither objects nor uploads', async () => {
    const { etag } = await ports.inbox.put('e/x.bam', largeBam())
    const ingest = { work: 'w', key: 'e/x.bam', etag }
    await planLarge(ports, ingest, cuts)
    await workShard(ports, 'w', 1)
    expect(await uploadsUnderWay()).toHaveLength(1)
    expect(await abandonLarge(ports, ingest)).toEqual({ state: 'failed' })
    expect(await uploadsUnderWay()).toEqual([])
    expect((await keysOf(ports.vault)).filter(key => !/^[cd]\//.test(key))).toEqual([])
  })
})
