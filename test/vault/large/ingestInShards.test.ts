import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { abandonLarge } from '#shared/vault/large/abandonLarge.ts'
import { ingestInShards } from '#shared/vault/large/ingestInShards.ts'
import { planLarge } from '#shared/vault/large/planLarge.ts'
import { publishLarge } from '#shared/vault/large/publishLarge.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import type { Manifest } from '#shared/vault/Manifest.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { refusedFixtures } from '#test/fixtures/index.ts'
import { Killed, killedPorts } from '#test/support/faults.ts'
import { largeFiles } from '#test/support/largeFiles.ts'
import { reblock } from '#test/support/reblock.ts'
import { bamHeader, bamRecord } from '#test/support/bamBuilder.ts'
import { concatBytes } from '#test/support/concatBytes.ts'
import { folderVault, keysOf } from '#test/support/folderVault.ts'
import { manifestOf, plainOf as plainPart, seenFile } from '#test/support/seenFile.ts'
import { cutsOf, plannedWork } from '#test/support/plannedWork.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-large-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const pair = generateKeyPair(nodeBackend)
const segment = 65536
let round = 0
let ports: VaultPorts
beforeEach(() => {
  ports = newPorts()
})

function newPorts(): VaultPorts {
  const folder = join(scratch, String(++round))
  return folderVault(folder, pair)
}

const plainOf = (manifest: Manifest, part: 'body' | 'index' | 'blockMap') => plainPart(ports, manifest, part)
const seen = (manifest: Manifest) => seenFile(ports, manifest)

function partsDigest(bytes: Buffer, partBytes: number): string {
  const all = createHash('sha256')
  for (let at = 0; at < bytes.length; at += partBytes)
    all.update(
      createHash('sha256')
        .update(bytes.subarray(at, at + partBytes))
        .digest(),
    )
  return all.digest('hex')
}

/** A BAM file of a segment for every 480 records or so. */
function madeBam(positionOf = (i: number) => i, count = 2500): Buffer {
  const references = [['chr1', 100_000_000]] as const
  const records = Array.from({ length: count }, (_, i) =>
    bamRecord({ refId: 0, pos: positionOf(i), bases: 60, cigar: [60 << 4], name: `r${i}` }),
  )
  const plain = concatBytes(bamHeader(references), ...records)
  return reblock(plain, { sizeOf: () => 61_000, level: 0 })
}

describe('a file taken in by shards', () => {
  test.each(largeFiles)('$name: index, block map and body are those of one pass', async ({ name, bytes }) => {
    const file = bytes()
    expect(file.length).toBeGreaterThan(segment)
    await ports.inbox.put(`d/${name}`, file)
    const whole = await seen(manifestOf(await ingestUpload(ports, `d/${name}`)))
    const ways = [cutsOf(1), cutsOf(2), cutsOf(1, 3), cutsOf(100)]
    for (const way of ways) {
      await ports.inbox.put(`d/${name}`, file)
      const manifest = manifestOf(await ingestInShards(ports, `d/${name}`, { cuts: way, workers: 3 }))
      expect(await seen(manifest)).toEqual(whole)
      const { partBytes } = way()
      expect(manifest.parts).toEqual({ bytes: partBytes, sha256: partsDigest(file, partBytes) })
      expect(manifest.sha256).toBeUndefined()
      const stored = (await ports.vault.get(manifest.body.key, 1e8))!.bytes
      expect(manifest.body.crc64nvme).toBe(writeCrc64nvme(crc64nvme(stored)))
      expect(await keysOf(ports.inbox)).toEqual([])
      // What it replaced is gone, and nothing of the work is left.
      const kept = await keysOf(ports.vault)
      expect(kept).toHaveLength(4)
      for (const part of ['body', 'index', 'blockMap'] as const) expect(kept).toContain(manifest[part].key)
    }
  })

  test('its recipients can open it; of a plain dataset it is plain', async () => {
    const reader = generateKeyPair(nodeBackend)
    const [{ bytes }] = largeFiles as [(typeof largeFiles)[0]]
    await ports.vault.put(
      'd/dataset.json',
      Buffer.from(JSON.stringify({ recipients: [writePublicKey(reader.publicKey)] })),
    )
    await ports.vault.put('open/dataset.json', Buffer.from('{"encryption":"none"}'))
    await ports.inbox.put('d/x.bam', bytes())
    await ports.inbox.put('open/x.bam', bytes())
    const shut = manifestOf(await ingestInShards(ports, 'd/x.bam', { cuts: cutsOf(1, 2) }))
    const open = manifestOf(await ingestInShards(ports, 'open/x.bam', { cuts: cutsOf(1, 2) }))
    const stored = (await ports.vault.get(open.body.key, 1e8))!.bytes
    expect(Buffer.compare(stored, bytes())).toBe(0)
    ports = { ...ports, keys: { keyPair: async () => reader } }
    expect(Buffer.compare(await plainOf(shut, 'body'), bytes())).toBe(0)
    expect((await plainOf(shut, 'index')).subarray(0, 4).toString('latin1')).toBe('BAI\u0001')
  })

  test.each(refusedFixtures)('$name is refused as one pass refuses it', async ({ path }) => {
    await ports.inbox.put('d/x', readFileSync(path))
    const whole = await ingestUpload(ports, 'd/x')
    expect(await ingestInShards(ports, 'd/x', { cuts: cutsOf(1) })).toEqual(whole)
    expect(await keysOf(ports.inbox)).toEqual(['d/x', 'd/x.refused.json'])
    expect(await keysOf(ports.vault)).toEqual([])
  })

  test('one that is unsorted across a border of shards is refused with the same place', async () => {
    const good = madeBam()
    for (const at of [600, 2499]) {
      await ports.inbox.put(
        'd/x.bam',
        madeBam(i => (i >= at ? i - 500 : i)),
      )
      const whole = await ingestUpload(ports, 'd/x.bam')
      expect(whole).toMatchObject({
        state: 'refused',
        report: { code: 'UNSORTED', place: { record: at + 1 } },
      })
      for (const way of [cutsOf(1), cutsOf(3, 2)])
        expect(await ingestInShards(ports, 'd/x.bam', { cuts: way })).toEqual(whole)
      expect(await keysOf(ports.vault)).toEqual([])
    }
    // Mended, under the same name.
    await ports.inbox.put('d/x.bam', good)
    expect((await ingestInShards(ports, 'd/x.bam', { cuts: cutsOf(1) })).state).toBe('served')
    expect(await keysOf(ports.inbox)).toEqual([])
  })

  test('settings that name no real recipient refuse it, and nothing is stored', async () => {
    await ports.vault.put('d/dataset.json', Buffer.from('{"recipients":["nonsense"]}'))
    await ports.inbox.put('d/x.bam', madeBam())
    expect(await ingestInShards(ports, 'd/x.bam', { cuts: cutsOf(1) })).toMatchObject({
      state: 'refused',
      report: { code: 'DATASET_SETTINGS_INVALID' },
    })
    expect(await keysOf(ports.vault)).toEqual(['d/dataset.json'])
  })
})

describe('steps', () => {
  const begin = async (file = madeBam()) => ({
    ...(await plannedWork(ports, 'd/x.bam', file)),
    file,
  })

  test('each can be repeated and run twice at once', async () => {
    const { ingest, shards, file } = await begin()
    expect(await planLarge(ports, ingest, cutsOf(5))).toEqual({ state: 'planned', shards })
    for (let shard = 0; shard < shards; shard++)
      await Promise.all([workShard(ports, 'w', shard), workShard(ports, 'w', shard)])
    await workShard(ports, 'w', 1)
    const manifest = manifestOf(await publishLarge(ports, 'w'))
    expect(Buffer.compare(await plainOf(manifest, 'body'), file)).toBe(0)
    expect(await publishLarge(ports, 'w')).toEqual({ state: 'gone' })
    expect(await workShard(ports, 'w', 0)).toEqual({ state: 'gone' })
    expect(await keysOf(ports.vault)).toHaveLength(4)
  })

  test('two plans at once: one stands', async () => {
    const { etag } = await ports.inbox.put('d/x.bam', madeBam())
    const ingest = { work: 'w', key: 'd/x.bam', etag }
    const [a, b] = await Promise.all([
      planLarge(ports, ingest, cutsOf(2)),
      planLarge(ports, ingest, cutsOf(2)),
    ])
    expect(a).toEqual(b)
    expect(await keysOf(ports.vault)).toEqual(['_htsvault/work/w/plan.c4gh'])
  })

  test('nothing of a file is there to be read before all of it is', async () => {
    const { shards } = await begin()
    for (let shard = 0; shard < shards; shard++) await workShard(ports, 'w', shard)
    expect(await findManifest(ports.vault, 'd/x', ['BAM'])).toBeUndefined()
    for (const key of await keysOf(ports.vault)) {
      expect(key).toMatch(/^_htsvault\/work\/w\//)
      const { bytes } = (await ports.vault.get(key, 1e8))!
      expect(Buffer.from(bytes).subarray(0, 8).toString()).toBe('crypt4gh')
    }
  })

  test('a shard that is missing is no fault of the file', async () => {
    const { shards } = await begin()
    for (let shard = 1; shard < shards; shard++) await workShard(ports, 'w', shard)
    await expect(publishLarge(ports, 'w')).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' })
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
    await workShard(ports, 'w', 0)
    expect((await publishLarge(ports, 'w')).state).toBe('served')
  })

  test('one that was given up leaves nothing, not even of a late worker', async () => {
    const { ingest } = await begin()
    await workShard(ports, 'w', 0)
    const late = workShard(ports, 'w', 1)
    expect(await abandonLarge(ports, ingest)).toEqual({ state: 'failed' })
    // It finds its body gone, or its work; either way nothing stays.
    await late.catch((error: unknown) => expect(error).toMatchObject({ code: 'UPLOAD_ENDED' }))
    expect(await keysOf(ports.vault)).toEqual([])
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
    expect(await abandonLarge(ports, ingest)).toEqual({ state: 'failed' })
    expect(await publishLarge(ports, 'w')).toEqual({ state: 'gone' })
  })

  test('an upload that is replaced midway is left to the ingest of the new one', async () => {
    const { ingest, shards } = await begin()
    await workShard(ports, 'w', 0)
    const newer = madeBam(i => 2 * i)
    await ports.inbox.put('d/x.bam', newer)
    for (let shard = 1; shard < shards; shard++)
      expect(await workShard(ports, 'w', shard)).toEqual({ state: 'gone' })
    expect(await publishLarge(ports, 'w')).toEqual({ state: 'gone' })
    expect(await abandonLarge(ports, ingest)).toEqual({ state: 'gone' })
    expect(await keysOf(ports.vault)).toEqual([])
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
    const manifest = manifestOf(await ingestInShards(ports, 'd/x.bam', { cuts: cutsOf(2) }))
    expect(Buffer.compare(await plainOf(manifest, 'body'), newer)).toBe(0)
  })

  test('two ingests of one upload at once: one file, whole', async () => {
    for (let i = 0; i < 3; i++) {
      ports = newPorts()
      const file = madeBam()
      await ports.inbox.put('d/x.bam', file)
      const ends = await Promise.allSettled([
        ingestInShards(ports, 'd/x.bam', { cuts: cutsOf(2) }),
        ingestInShards(ports, 'd/x.bam', { cuts: cutsOf(3) }),
        ingestUpload(ports, 'd/x.bam'),
      ])
      expect(ends.some(end => end.status === 'fulfilled' && end.value.state === 'served')).toBe(true)
      if (ends.some(end => end.status === 'rejected')) await ingestUpload(ports, 'd/x.bam')
      expect(await keysOf(ports.inbox)).toEqual([])
      expect(await keysOf(ports.vault)).toHaveLength(4)
      const manifest = await findManifest(ports.vault, 'd/x', ['BAM'])
      expect(Buffer.compare(await plainOf(manifest!, 'body'), file)).toBe(0)
    }
  })

  test.each([false, true])(
    'killed at any point of planning, and repeated (the last word heard: %s)',
    async heard => {
      const file = madeBam()
      for (let after = 1; ; after++) {
        ports = newPorts()
        const { etag } = await ports.inbox.put('d/x.bam', file)
        const ingest = { work: 'w', key: 'd/x.bam', etag }
        const dying = killedPorts(ports, after, heard)
        const died = await planLarge(dying.ports, ingest, cutsOf(2)).then(
          () => false,
          (error: unknown) => {
            expect(error).toBeInstanceOf(Killed)
            return true
          },
        )
        await dying.bury()
        expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
        // The state machine tries the step again, then goes on.
        const planned = await planLarge(ports, ingest, cutsOf(2))
        if (planned.state !== 'planned') throw new Error(planned.state)
        for (let shard = 0; shard < planned.shards; shard++) await workShard(ports, 'w', shard)
        const manifest = manifestOf(await publishLarge(ports, 'w'))
        expect(Buffer.compare(await plainOf(manifest, 'body'), file)).toBe(0)
        expect((await plainOf(manifest, 'blockMap')).length).toBeGreaterThan(0)
        expect(await keysOf(ports.inbox)).toEqual([])
        expect(await keysOf(ports.vault)).toHaveLength(4)
        if (!died && dying.said() < after) break
      }
    },
    60_000,
  )
})
