import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import fc from 'fast-check'
import { crc64nvme, writeCrc64nvme } from '#shared/bytes/crc64nvme.ts'
import { encryptBytes } from '#shared/crypt4gh/body/encryptBytes.ts'
import { Encryptor } from '#shared/crypt4gh/body/Encryptor.ts'
import { decryptStream } from '#shared/crypt4gh/decryptStream.ts'
import { readHeader } from '#shared/crypt4gh/header/readHeader.ts'
import { writeHeader } from '#shared/crypt4gh/header/writeHeader.ts'
import { generateKeyPair } from '#shared/crypt4gh/keys/KeyPair.ts'
import { writePublicKey } from '#shared/crypt4gh/keys/writePublicKey.ts'
import { nodeBackend } from '#shared/crypt4gh/node/nodeBackend.ts'
import { cipherSegmentBytes, segmentBytes } from '#shared/crypt4gh/sizes.ts'
import { findManifest } from '#shared/vault/findManifest.ts'
import { ingestUpload } from '#shared/vault/ingestUpload.ts'
import { abandonLarge } from '#shared/vault/large/abandonLarge.ts'
import { ingestInShards } from '#shared/vault/large/ingestInShards.ts'
import { planLarge } from '#shared/vault/large/planLarge.ts'
import { publishLarge } from '#shared/vault/large/publishLarge.ts'
import { workShard } from '#shared/vault/large/workShard.ts'
import type { Manifest } from '#shared/vault/Manifest.ts'
import type { VaultPorts } from '#shared/vault/VaultPorts.ts'
import { drainAsync } from '#test/crypt4gh/support.ts'
import { Killed, killedPorts } from '#test/support/faults.ts'
import { folderVault, keysOf } from '#test/support/folderVault.ts'
import { largeFiles } from '#test/support/largeFiles.ts'
import { manifestOf, plainOf, seenFile } from '#test/support/seenFile.ts'
import { cutsOf, plannedWork } from '#test/support/plannedWork.ts'

jest.setTimeout(60_000)

const scratch = mkdtempSync(join(tmpdir(), 'htsvault-large-encrypted-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const pair = generateKeyPair(nodeBackend)
const [reader, stranger] = [generateKeyPair(nodeBackend), generateKeyPair(nodeBackend)]
const settings = Buffer.from(JSON.stringify({ recipients: [writePublicKey(reader.publicKey)] }))
let round = 0
let ports: VaultPorts
beforeEach(async () => {
  ports = folderVault(join(scratch, String(++round)), pair)
  await ports.vault.put('d/dataset.json', settings)
})

interface Sealing {
  /** Packets for others before the vault's own: how long the header is. */
  readonly others?: number
  readonly dataKeys?: readonly Uint8Array[]
  readonly editList?: readonly number[]
  readonly nonceOf?: () => Uint8Array
}

/** A Crypt4GH file for the vault; of several data keys, the segments take turns. */
function seal(
  plain: Uint8Array,
  { others = 1, dataKeys = [randomBytes(32)], editList, nonceOf }: Sealing = {},
): Buffer {
  const recipients = [...Array<Uint8Array>(others).fill(stranger.publicKey), pair.publicKey]
  const header = writeHeader({ dataKeys, recipients, ...(editList && { editList }) }, nodeBackend)
  const segments: Uint8Array[] = []
  for (let at = 0; at < plain.length; at += segmentBytes) {
    const dataKey = dataKeys[segments.length % dataKeys.length]!
    const segment = plain.subarray(at, at + segmentBytes)
    const encryptor = nonceOf && new Encryptor(dataKey, nodeBackend, { nonceOf })
    segments.push(
      encryptor
        ? Buffer.concat([...encryptor.push(segment), ...encryptor.finish()])
        : encryptBytes(segment, dataKey, nodeBackend),
    )
  }
  return Buffer.concat([header, ...segments])
}

async function mapInTurn<T, R>(items: readonly T[], make: (item: T) => Promise<R>): Promise<R[]> {
  const made: R[] = []
  for (const item of items) made.push(await make(item))
  return made
}

const objectOf = async ({ body }: Manifest) => Buffer.from((await ports.vault.get(body.key, 1e8))!.bytes)

/** What a client can see of a file, and whether its stored body is the uploaded one. */
async function seen(manifest: Manifest, file: Buffer) {
  const { body, name } = manifest
  const object = await objectOf(manifest)
  const sealed = object.subarray(body.bodyOffset)
  expect(object.subarray(0, body.bodyOffset).toString('base64')).toBe(body.header)
  expect(object.length).toBe(body.size)
  expect(body.crc64nvme).toBe(writeCrc64nvme(crc64nvme(object)))
  return {
    ...(await seenFile(ports, manifest)),
    kept: sealed.equals(file.subarray(file.length - sealed.length)),
    name,
    sizes: [body.size, body.plainSize, body.bodyOffset],
  }
}

async function takeWhole(file: Buffer, key: string) {
  await ports.inbox.put(key, file)
  return ingestUpload(ports, key)
}
async function takeInShards(file: Buffer, key: string, way: ReturnType<typeof cutsOf>) {
  await ports.inbox.put(key, file)
  return ingestInShards(ports, key, { cuts: way, workers: 2 })
}

/** Files that are being written in the vault. */
const unfinished = () =>
  readdirSync(join(scratch, String(round), 'vault'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /(^|\/)\./.test(relative(scratch, entry.parentPath)))
    .map(entry => join(entry.parentPath, entry.name))

/** Nothing but the file's own objects, and nothing in the inbox. */
async function expectTidy(): Promise<void> {
  expect(await keysOf(ports.inbox)).toEqual([])
  expect(await keysOf(ports.vault)).toHaveLength(5)
}

describe('an encrypted file taken in by shards', () => {
  test.each(largeFiles)(
    '$name: kept as it came, with index and block map of one pass, for any cuts',
    async ({ name, bytes }) => {
      const plain = bytes()
      const key = `d/${name}.c4gh`
      const segments = Math.ceil(plain.length / segmentBytes)
      // The header of the second is longer than one read of it.
      const wholes = await mapInTurn([0, 300], async others => {
        const file = seal(plain, { others })
        return { file, whole: await seen(manifestOf(await takeWhole(file, key)), file) }
      })
      const take = async (upload: number, segmentsOfPart: number, shardParts: number) => {
        const { file, whole } = wholes[upload]!
        const manifest = manifestOf(await takeInShards(file, key, cutsOf(segmentsOfPart, shardParts)))
        expect(whole.kept).toBe(true)
        expect(await seen(manifest, file)).toEqual(whole)
        await expectTidy()
        return manifest
      }
      const manifest = await take(0, 1, 1)
      expect(Buffer.compare(await plainOf(ports, manifest, 'body'), plain)).toBe(0)
      const object = await objectOf(manifest)
      expect(plain.equals(await drainAsync(decryptStream([object], reader, nodeBackend)))).toBe(true)
      await expect(drainAsync(decryptStream([object], stranger, nodeBackend))).rejects.toMatchObject({
        code: 'CRYPT4GH_WRONG_KEY',
      })
      await fc.assert(
        fc.asyncProperty(
          fc.nat(1),
          fc.integer({ min: 1, max: segments + 1 }),
          fc.integer({ min: 1, max: 4 }),
          async (...drawn) => {
            await take(...drawn)
          },
        ),
        { numRuns: 3, examples: [[1, 1, 2]] },
      )
    },
  )
})

const bam = () => largeFiles[0]!.bytes()

describe('what cannot be kept is encrypted anew by the workers', () => {
  const hidden = (length: number) => randomBytes(length)
  const oneNonce = randomBytes(12)
  test.each([
    [
      'an edit list',
      (plain: Buffer) =>
        seal(Buffer.concat([hidden(100_000), plain, hidden(70_000)]), { editList: [100_000, plain.length] }),
    ],
    [
      'an edit list of many ranges',
      (plain: Buffer) => {
        const pieces = Array.from({ length: 9 }, (_, i) => plain.subarray(i * 50_001, (i + 1) * 50_001))
        pieces.push(plain.subarray(9 * 50_001))
        const editList = pieces.flatMap((piece, i) => [40_000 * i + 7, piece.length])
        return seal(Buffer.concat(pieces.flatMap((piece, i) => [hidden(40_000 * i + 7), piece])), {
          editList,
        })
      },
    ],
    ['several data keys', (plain: Buffer) => seal(plain, { dataKeys: [1, 2, 3].map(() => randomBytes(32)) })],
    ['one nonce for all segments', (plain: Buffer) => seal(plain, { nonceOf: () => oneNonce })],
  ])('%s', async (_, make) => {
    const plain = bam()
    const file = make(plain)
    const whole = await seen(manifestOf(await takeWhole(file, 'd/x.bam.c4gh')), file)
    expect(whole.kept).toBe(false)
    for (const way of [cutsOf(1), cutsOf(2, 3)]) {
      const manifest = manifestOf(await takeInShards(file, 'd/x.bam.c4gh', way))
      expect(await seen(manifest, file)).toEqual(whole)
      expect(manifest.parts!.bytes).toBe(way().partBytes)
      await expectTidy()
      const object = await objectOf(manifest)
      expect(plain.equals(await drainAsync(decryptStream([object], reader, nodeBackend)))).toBe(true)
      expect(readHeader(object).packets).toHaveLength(2)
    }
  })
})

describe('an encrypted file that is not sound', () => {
  const segmentAt = (file: Buffer, segment: number) => readHeader(file).length + segment * cipherSegmentBytes
  const flip = (...segments: number[]) => {
    const file = seal(bam())
    for (const segment of segments) file[segmentAt(file, segment) + 1000]! ^= 1
    return file
  }
  const cutAt = (segment: number, more: number) => {
    const file = seal(bam())
    return file.subarray(0, segmentAt(file, segment) + more)
  }
  /** The segments in another order. */
  const reordered = (order: (segments: Buffer[]) => Buffer[]) => {
    const file = seal(bam())
    const segments: Buffer[] = []
    for (let at = segmentAt(file, 0); at < file.length; at += cipherSegmentBytes)
      segments.push(file.subarray(at, at + cipherSegmentBytes))
    return Buffer.concat([file.subarray(0, segmentAt(file, 0)), ...order(segments)])
  }
  const last = Math.ceil(bam().length / segmentBytes) - 1
  const corrupt = (segment: number) => ({ code: 'CRYPT4GH_SEGMENT_CORRUPT', place: { segment } })
  const content = { code: expect.stringMatching(/^(BGZF|BAM|UNSORTED|TRAILING)/) as unknown }
  test.each<[string, () => Buffer, object]>([
    ['a bit flipped in segment 0', () => flip(0), corrupt(0)],
    ['a bit flipped in segment 1', () => flip(1), corrupt(1)],
    ['a bit flipped in the middle', () => flip(4), corrupt(4)],
    ['bits flipped in three segments', () => flip(5, 3, 6), corrupt(3)],
    [
      'a bit flipped in the last segment',
      () => flip(last),
      { code: 'CRYPT4GH_TRUNCATED_OR_CORRUPT', place: { segment: last } },
    ],
    [
      'an end within a segment',
      () => cutAt(3, 5000),
      { code: 'CRYPT4GH_TRUNCATED_OR_CORRUPT', place: { segment: 3 } },
    ],
    [
      'an end some bytes into a segment',
      () => cutAt(3, 27),
      { code: 'CRYPT4GH_TRUNCATED', place: { segment: 3 } },
    ],
    ['an end between segments', () => cutAt(3, 0), content],
    [
      'an end in its header',
      () => seal(bam(), { others: 500 }).subarray(0, 20_000),
      { code: 'CRYPT4GH_TRUNCATED' },
    ],
    [
      'bytes behind its last segment',
      () => Buffer.concat([seal(bam()), Buffer.alloc(100)]),
      { code: 'CRYPT4GH_TRUNCATED_OR_CORRUPT' },
    ],
    ['bytes behind its plain end', () => seal(Buffer.concat([bam(), Buffer.alloc(100)])), content],
    [
      'two segments that changed places',
      () => reordered(([a, b, c, ...more]) => [a!, c!, b!, ...more]),
      content,
    ],
    [
      'a segment that stands there twice',
      () => reordered(([a, b, ...more]) => [a!, b!, b!, ...more]),
      content,
    ],
    ['a segment that is missing', () => reordered(([a, b, , ...more]) => [a!, b!, ...more]), content],
    [
      'a segment of another file',
      () => {
        const [file, other] = [seal(bam()), seal(bam())]
        const at = segmentAt(file, 2)
        other.copy(file, at, at, at + cipherSegmentBytes)
        return file
      },
      corrupt(2),
    ],
    [
      'several data keys and a bit flipped',
      () => {
        const file = seal(bam(), { dataKeys: [randomBytes(32), randomBytes(32)] })
        file[segmentAt(file, 3) + 9]! ^= 1
        return file
      },
      corrupt(3),
    ],
    [
      'an edit list and a bit flipped in what it shows',
      () => {
        const file = seal(Buffer.concat([randomBytes(90_000), bam()]), { editList: [90_000] })
        file[segmentAt(file, 3) + 9]! ^= 1
        return file
      },
      corrupt(3),
    ],
    [
      'another key',
      () => {
        const file = seal(bam())
        const header = writeHeader(
          { dataKeys: [randomBytes(32)], recipients: [stranger.publicKey] },
          nodeBackend,
        )
        return Buffer.concat([header, file.subarray(segmentAt(file, 0))])
      },
      { code: 'CRYPT4GH_WRONG_KEY' },
    ],
    [
      'another data key',
      () => {
        const file = seal(bam())
        const header = writeHeader({ dataKeys: [randomBytes(32)], recipients: [pair.publicKey] }, nodeBackend)
        return Buffer.concat([header, file.subarray(segmentAt(file, 0))])
      },
      corrupt(0),
    ],
    ['nothing in it', () => seal(Buffer.alloc(0)), { code: 'EMPTY_FILE' }],
    ['another Crypt4GH file in it', () => seal(seal(bam())), { code: 'CRYPT4GH_UPLOAD' }],
  ])('with %s is refused as in one pass, and leaves nothing', async (_, make, report) => {
    const file = make()
    const whole = await takeWhole(file, 'd/x.bam.c4gh')
    expect(whole).toMatchObject({ state: 'refused', report })
    for (const way of [cutsOf(1), cutsOf(2, 2)]) {
      expect(await takeInShards(file, 'd/x.bam.c4gh', way)).toEqual(whole)
      expect(await keysOf(ports.vault)).toEqual(['d/dataset.json'])
      expect(await keysOf(ports.inbox)).toEqual(['d/x.bam.c4gh', 'd/x.bam.c4gh.refused.json'])
    }
    expect(Buffer.from((await ports.inbox.get('d/x.bam.c4gh', 1e8))!.bytes).equals(file)).toBe(true)
    expect(unfinished()).toEqual([])
  })

  test('is refused where its dataset keeps files plain', async () => {
    await ports.vault.put('d/dataset.json', Buffer.from('{"encryption":"none"}'))
    expect(await takeInShards(seal(bam()), 'd/x.bam', cutsOf(1))).toMatchObject({
      state: 'refused',
      report: { code: 'CRYPT4GH_UPLOAD' },
    })
  })
})

describe('the steps of an encrypted upload', () => {
  const begin = async (file = seal(bam())) => ({
    ...(await plannedWork(ports, 'd/x.bam.c4gh', file)),
    file,
  })

  test('each can be repeated, in any order, and run twice at once', async () => {
    const { ingest, shards, file } = await begin()
    for (let shard = shards - 1; shard >= 0; shard--)
      await Promise.all([workShard(ports, 'w', shard), workShard(ports, 'w', shard)])
    expect(await planLarge(ports, ingest)).toEqual({ state: 'planned', shards })
    await workShard(ports, 'w', 1)
    const manifest = manifestOf(await publishLarge(ports, 'w'))
    expect((await seen(manifest, file)).kept).toBe(true)
    expect(await workShard(ports, 'w', 0)).toEqual({ state: 'gone' })
    await expectTidy()
  })

  test('the vault holds no plain byte of it meanwhile, nor its data key', async () => {
    const dataKey = randomBytes(32)
    const { shards, file } = await begin(seal(bam(), { dataKeys: [dataKey] }))
    for (let shard = 0; shard < shards; shard++) await workShard(ports, 'w', shard)
    const folder = join(scratch, String(round))
    const all = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => readFileSync(join(entry.parentPath, entry.name)))
    expect(all.length).toBeGreaterThan(shards)
    const plain = bam()
    for (const bytes of all) {
      expect(bytes.includes(dataKey)).toBe(false)
      for (const at of [0, 100_000, plain.length - 28])
        expect(bytes.includes(plain.subarray(at, at + 28))).toBe(false)
    }
    expect((await seen(manifestOf(await publishLarge(ports, 'w')), file)).kept).toBe(true)
  })

  test('an upload that is replaced midway is left to the ingest of the new one', async () => {
    const { ingest, shards } = await begin()
    await workShard(ports, 'w', 0)
    expect(unfinished()).not.toEqual([])
    const newer = seal(bam())
    await ports.inbox.put('d/x.bam.c4gh', newer)
    for (let shard = 1; shard < shards; shard++)
      expect(await workShard(ports, 'w', shard)).toEqual({ state: 'gone' })
    expect(await publishLarge(ports, 'w')).toEqual({ state: 'gone' })
    expect(await abandonLarge(ports, ingest)).toEqual({ state: 'gone' })
    expect(await keysOf(ports.vault)).toEqual(['d/dataset.json'])
    expect(unfinished()).toEqual([])
    const manifest = manifestOf(await ingestInShards(ports, 'd/x.bam.c4gh', { cuts: cutsOf(2) }))
    expect((await seen(manifest, newer)).kept).toBe(true)
  })

  test('a store that copies other bytes than were read is tried again', async () => {
    const { file } = await begin()
    let wrong = 1
    const copying = {
      ...ports.vault,
      parts: {
        ...ports.vault.parts,
        copy: async (...[key, upload, part]: Parameters<typeof ports.vault.parts.copy>) => {
          const from =
            wrong-- > 0 ? { ...part.from, start: part.from.start + 1, end: part.from.end + 1 } : part.from
          return ports.vault.parts.copy(key, upload, { ...part, from })
        },
      },
    }
    const work = async (shard: number) => workShard({ ...ports, vault: copying }, 'w', shard)
    await expect(work(1)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    for (let shard = 0; shard < 5; shard++) await work(shard).catch(() => undefined)
    expect((await seen(manifestOf(await publishLarge(ports, 'w')), file)).kept).toBe(true)
  })

  test('a vault whose key opens the plan no more says so, and the file is not to blame', async () => {
    await begin()
    const other = { ...ports, keys: { keyPair: async () => ({ ...reader }) } }
    await expect(workShard(other, 'w', 0)).rejects.toMatchObject({ code: 'WORK_CORRUPT' })
    await expect(publishLarge(other, 'w')).rejects.toMatchObject({ code: 'WORK_CORRUPT' })
    expect(await keysOf(ports.inbox)).toEqual(['d/x.bam.c4gh'])
  })

  test.each(['plan', 'shard', 'publish'] as const)(
    'killed at any point of %s, and repeated: served whole, or not yet',
    async step => {
      const file = seal(bam())
      const segments = Math.ceil(bam().length / segmentBytes)
      // Every word is another test's, of plain uploads: some of them here.
      for (let after = 1, died = true; died; after += { plan: 2, shard: 2, publish: 7 }[step]) {
        ports = folderVault(join(scratch, String(++round)), pair)
        await ports.vault.put('d/dataset.json', settings)
        const { etag } = await ports.inbox.put('d/x.bam.c4gh', file)
        const ingest = { work: 'w', key: 'd/x.bam.c4gh', etag }
        const steps = {
          plan: (on: VaultPorts) => planLarge(on, ingest, cutsOf(5)),
          shard: async (on: VaultPorts) => {
            for (let shard = 0; 5 * shard < segments; shard++) await workShard(on, 'w', shard)
          },
          publish: (on: VaultPorts) => publishLarge(on, 'w'),
        }
        const run = async (on: VaultPorts) => {
          await steps[step](on)
        }
        if (step !== 'plan') await steps.plan(ports)
        if (step === 'publish') await steps.shard(ports)
        const dying = killedPorts(ports, after, after % 4 < 2)
        died = await run(dying.ports).then(
          () => false,
          (error: unknown) => error instanceof Killed,
        )
        await dying.bury()
        const before = await findManifest(ports.vault, 'd/x', ['BAM'])
        if (before) expect((await seen(before, file)).kept).toBe(true)
        else expect(await keysOf(ports.inbox)).toEqual(['d/x.bam.c4gh'])
        await run(ports)
        if (step === 'plan') await steps.shard(ports)
        await steps.publish(ports)
        expect((await seen((await findManifest(ports.vault, 'd/x', ['BAM']))!, file)).kept).toBe(true)
        await expectTidy()
      }
    },
  )
})
