import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { openHeader } from '#shared/crypt4gh/header/openHeader.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { abandonLarge } from '#shared/vault/large/abandonLarge.ts'
import { planLarge } from '#shared/vault/large/planLarge.ts'
import { publishLarge } from '#shared/vault/large/publishLarge.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import type { Manifest } from '#shared/vault/Manifest.ts'
import { openStored } from '#shared/vault/openStored.ts'
import type { KeyRing } from '#shared/vault/ports/KeyStore.ts'
import { rekeyForKey } from '#shared/vault/rekey.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { bamHeader, bamRecord } from '#test/support/bamBuilder.ts'
import { concatBytes } from '#test/support/concatBytes.ts'
import { deafStore, Killed, killedPorts, pausedPorts } from '#test/support/faults.ts'
import { folderVault, keysOf } from '#test/support/folderVault.ts'
import { reblock } from '#test/support/reblock.ts'

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-endings-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const manifestKey = 'd/x.bam.manifest.json'
const file = bam('r')
const cuts = () => ({ partBytes: 65536, shardParts: 1 })
let round = 0
let ring: KeyRing
let ports: VaultPorts
beforeEach(newVault)

function newVault(): void {
  ring = generateKeyPair(nodeBackend)
  ports = { ...folderVault(join(scratch, String(++round)), ring), keys: { keyPair: async () => ring } }
}

/** A BAM file of two segments. */
function bam(name: string): Buffer {
  const records = Array.from({ length: 600 }, (_, i) =>
    bamRecord({ refId: 0, pos: i, bases: 60, cigar: [60 << 4], name: `${name}${i}` }),
  )
  const plain = concatBytes(bamHeader([['chr1', 100_000]]), ...records)
  return reblock(plain, { sizeOf: () => 61_000, level: 0 })
}

const upload = (bytes = file) => ports.inbox.put('d/x.bam', bytes)

/** A large ingest whose shards are done. */
async function worked(work = 'w') {
  const { etag } = await upload()
  const ingest = { work, key: 'd/x.bam', etag }
  const planned = await planLarge(ports, ingest, cuts)
  if (planned.state !== 'planned') throw new Error(planned.state)
  for (let shard = 0; shard < planned.shards; shard++) await workShard(ports, work, shard)
  return ingest
}

const manifestNow = () => findManifest(ports.vault, 'd/x', ['BAM'])

async function expectWhole(manifest: Manifest | undefined, bytes = file): Promise<void> {
  const source = await openStored(ports, manifest!.body)
  expect(Buffer.compare(await source.read(0, source.size), bytes)).toBe(0)
  for (const part of [manifest!.body, manifest!.index, manifest!.blockMap]) {
    const stored = (await ports.vault.get(part.key, 1e8))!.bytes
    expect(part.crc64nvme).toBe(writeCrc64nvme(crc64nvme(stored)))
  }
  for (const part of ['index', 'blockMap'] as const)
    expect((await openStored(ports, manifest![part])).size).toBeGreaterThan(0)
}

/** All of a file, or nothing of it and its upload; in either case nothing besides. */
async function expectAllOrNothing(): Promise<boolean> {
  const manifest = await manifestNow()
  if (!manifest) {
    expect(await keysOf(ports.vault)).toEqual([])
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
    return false
  }
  await expectWhole(manifest)
  expect(await keysOf(ports.vault)).toHaveLength(4)
  expect(await keysOf(ports.inbox)).toEqual([])
  return true
}

/** The ports of a process that is killed when it is about to write the manifest. */
const killedAtManifest = (): VaultPorts => {
  const { vault } = ports
  return {
    ...ports,
    vault: {
      ...vault,
      put: async (key, ...rest) => {
        if (key === manifestKey) throw new Killed()
        return vault.put(key, ...rest)
      },
    },
  }
}

/** Does `test` for every number from 1 on until it says that there was no such word. */
async function atEveryWord(test: (at: number) => Promise<boolean>): Promise<void> {
  let at = 0
  do newVault()
  while (await test(++at))
  expect(at).toBeGreaterThan(8)
}

describe('giving up beside publishing: all of the file or nothing', () => {
  test('publishing stands still at any point while the work is given up', async () => {
    const ends = new Set<boolean>()
    await atEveryWord(async at => {
      const ingest = await worked()
      const slow = pausedPorts(ports, at)
      const published = publishLarge(slow.ports, 'w').then(
        end => end.state,
        () => 'thrown',
      )
      const paused = await Promise.race([slow.reached.then(() => true), published.then(() => false)])
      const { state } = await abandonLarge(ports, ingest)
      slow.goOn()
      await published
      // What it was told when it gave up is how it is.
      expect(await expectAllOrNothing()).toBe(state !== 'failed')
      ends.add(state === 'failed')
      return paused
    })
    expect(ends.size).toBe(2)
  }, 60_000)

  test('giving up stands still at any point while the file is published', async () => {
    const ends = new Set<boolean>()
    await atEveryWord(async at => {
      const ingest = await worked()
      const slow = pausedPorts(ports, at)
      const given = abandonLarge(slow.ports, ingest)
      const paused = await Promise.race([slow.reached.then(() => true), given.then(() => false)])
      await publishLarge(ports, 'w').catch(() => undefined)
      slow.goOn()
      await given
      ends.add(await expectAllOrNothing())
      return paused
    })
    expect(ends.size).toBe(2)
  }, 60_000)

  test.each([false, true])(
    'giving up is killed at any point, and repeated (the last word heard: %s)',
    async heard => {
      await atEveryWord(async after => {
        const ingest = await worked()
        const dying = killedPorts(ports, after, heard)
        const died = await abandonLarge(dying.ports, ingest).then(
          () => false,
          (error: unknown) => error instanceof Killed,
        )
        await dying.bury()
        expect(await abandonLarge(ports, ingest)).toEqual({ state: 'failed' })
        expect(await expectAllOrNothing()).toBe(false)
        return died
      })
    },
    60_000,
  )

  test('publishing that is killed once it was decided is brought to its end by whoever gives up', async () => {
    const ingest = await worked()
    await expect(publishLarge(killedAtManifest(), 'w')).rejects.toThrow(Killed)
    expect(await manifestNow()).toBeUndefined()
    expect(await abandonLarge(ports, ingest)).toMatchObject({ state: 'served' })
    expect(await expectAllOrNothing()).toBe(true)
    expect(await abandonLarge(ports, ingest)).toEqual({ state: 'gone' })
  })

  test.each([false, true])(
    'publishing is killed at any point, and repeated: the sum in the manifest is the body’s (the last word heard: %s)',
    async heard => {
      await atEveryWord(async after => {
        await worked()
        const dying = killedPorts(ports, after, heard)
        const died = await publishLarge(dying.ports, 'w').then(
          () => false,
          (error: unknown) => error instanceof Killed,
        )
        await dying.bury()
        const visible = await manifestNow()
        if (visible) await expectWhole(visible)
        else expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
        await publishLarge(ports, 'w')
        expect(await expectAllOrNothing()).toBe(true)
        return died
      })
    },
    60_000,
  )

  test('publishing whose last answer is lost deletes nothing', async () => {
    await worked()
    const deaf = { ...ports, vault: deafStore(ports.vault, /manifest/) }
    await expect(publishLarge(deaf, 'w')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expectWhole(await manifestNow())
    expect((await publishLarge(ports, 'w')).state).toBe('served')
    expect(await expectAllOrNothing()).toBe(true)
  })

  test('of another file that came first nothing is touched', async () => {
    const ingest = await worked()
    const other = bam('other')
    await ports.inbox.put('d/x.BAM', other)
    await ingestUpload(ports, 'd/x.BAM')
    await expect(publishLarge(ports, 'w')).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    expect(await abandonLarge(ports, ingest)).toEqual({ state: 'failed' })
    await expectWhole(await manifestNow(), other)
    expect(await keysOf(ports.vault)).toHaveLength(4)
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam'])
  })
})

describe('a manifest that cannot be read', () => {
  test.each(['nonsense', '{"version":2}'])('does not keep work from ending: %s', async text => {
    await ports.vault.put(manifestKey, Buffer.from(text))
    const ingest = await worked()
    await workShard(ports, 'w', 0)
    expect(await abandonLarge(ports, ingest)).toEqual({ state: 'failed' })
    expect(await keysOf(ports.vault)).toEqual([manifestKey])
    // The upload takes its place.
    await worked('w2')
    expect((await publishLarge(ports, 'w2')).state).toBe('served')
    expect(await expectAllOrNothing()).toBe(true)
  })

  test('keeps what it names', async () => {
    await worked()
    const killed = killedPorts(ports, 1e9, false)
    const deaf = { ...killed.ports, vault: deafStore(killed.ports.vault, /manifest/) }
    await publishLarge(deaf, 'w').catch(() => undefined)
    const { bytes } = (await ports.vault.get(manifestKey, 1e6))!
    const newer = Buffer.from(bytes).toString().replace('"version": 1', '"version": 2')
    await ports.vault.put(manifestKey, Buffer.from(newer))
    const served = (await keysOf(ports.vault)).filter(key => !key.startsWith('_htsvault/'))
    await abandonLarge(ports, { work: 'w', key: 'd/x.bam', etag: 'of no matter' }).catch(() => undefined)
    expect((await keysOf(ports.vault)).filter(key => !key.startsWith('_htsvault/'))).toEqual(served)
  })
})

test('work whose plan does not open can be ended', async () => {
  const ingest = await worked()
  ring = generateKeyPair(nodeBackend)
  await expect(publishLarge(ports, 'w')).rejects.toMatchObject({ code: 'WORK_CORRUPT' })
  expect(await abandonLarge(ports, ingest)).toEqual({ state: 'failed' })
  expect(await expectAllOrNothing()).toBe(false)
})

describe('a key pair that is rotated during an ingest', () => {
  /** As the older pair is when a new one came into force. */
  const rotate = () => {
    const { publicKey, secretKey } = ring
    ring = { ...generateKeyPair(nodeBackend), others: [{ publicKey, secretKey }] }
    return { publicKey, secretKey }
  }
  const opens = (header: string | undefined, keys: KeyRing) => {
    try {
      return openHeader(readHeader(Buffer.from(header!, 'base64')), keys, nodeBackend).dataKeys.length > 0
    } catch {
      return false
    }
  }

  test('the file that is replaced may be re-keyed meanwhile', async () => {
    await upload(bam('older'))
    await ingestUpload(ports, 'd/x.bam')
    await worked()
    rotate()
    expect(await rekeyForKey(ports)).toMatchObject({ rekeyed: 1, failures: 0 })
    expect((await publishLarge(ports, 'w')).state).toBe('served')
    expect(await expectAllOrNothing()).toBe(true)
  })

  test('what is published is for the pair in force then, and for it alone', async () => {
    await worked()
    const older = rotate()
    expect((await publishLarge(ports, 'w')).state).toBe('served')
    const { body, index, blockMap } = (await manifestNow())!
    for (const { header } of [body, index, blockMap]) {
      expect(opens(header, older)).toBe(false)
      expect(opens(header, ring)).toBe(true)
    }
    // The older pair can go.
    ring = { publicKey: ring.publicKey, secretKey: ring.secretKey }
    expect(await expectAllOrNothing()).toBe(true)
  })

  test('what was decided with it can be published without the older pair', async () => {
    const ingest = await worked()
    rotate()
    await expect(publishLarge(killedAtManifest(), 'w')).rejects.toThrow(Killed)
    ring = { publicKey: ring.publicKey, secretKey: ring.secretKey }
    expect((await abandonLarge(ports, ingest)).state).toBe('served')
    expect(await expectAllOrNothing()).toBe(true)
  })
})
